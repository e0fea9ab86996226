"""Tags by machine: taggers score images once, the scores are kept, and rules decide from them as often as wanted."""
