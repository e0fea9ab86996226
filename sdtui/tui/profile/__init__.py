"""What the Profile screen is made of: the form's rows and values, the text and difference views, the plan."""
