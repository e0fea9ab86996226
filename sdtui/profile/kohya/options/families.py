"""Options of one kind of model only, most of them of models that are not trained here; every file of kohya_ss has them."""

from __future__ import annotations

from sdtui.profile.kohya.option import Option

# The mark of each family in kohya_ss's JSON, and its name.
FAMILY_MARKS = {
    "flux1_checkbox": "Flux.1",
    "sd3_checkbox": "Stable Diffusion 3",
    "hunyuan_image_checkbox": "HunyuanImage",
    "anima_checkbox": "Anima",
    "lumina_checkbox": "Lumina",
}

_XL = {
    "always on where the text encoders are not trained: what they say is cached on disk": """
        cache_text_encoder_outputs cache_text_encoder_outputs_to_disk sdxl_cache_text_encoder_outputs""",
    "always on: images are encoded in fp32": "sdxl_no_half_vae",
    "how weights are read is no setting": "disable_mmap_load_safetensors",
    "an option of fine-tuning the whole model": "block_lr fused_optimizer_groups blockwise_fused_optimizers",
}
XL = (
    *(Option(name, "text", text=text, quiet=True) for text, names in _XL.items() for name in names.split()),
    Option(
        "learning_rate_te1", "number", None, ("optimizer.text_encoder_learning_rate",),
        "of the whole model (no network_module), where sdxl_train.py trains both text encoders", quiet=True,
    ),
    Option("learning_rate_te2", "number", text="both text encoders learn at the rate of the first", quiet=True),
)  # fmt: skip

_NAMES = {
    "Flux.1": """
        flux1_checkbox flux1_cache_text_encoder_outputs flux1_cache_text_encoder_outputs_to_disk flux1_clip_l
        flux1_t5xxl flux_fused_backward_pass model_type ae clip_l t5xxl t5xxl_lr discrete_flow_shift
        model_prediction_type timestep_sampling split_mode train_blocks t5xxl_max_token_length
        guidance_scale mem_eff_save apply_t5_attn_mask split_qkv train_t5xxl blocks_to_swap single_blocks_to_swap
        double_blocks_to_swap show_timesteps show_timesteps_resolution img_attn_dim img_mlp_dim img_mod_dim single_dim
        txt_attn_dim txt_mlp_dim txt_mod_dim single_mod_dim in_dims train_double_block_indices
        train_single_block_indices""",
    "Stable Diffusion 3": """
        sd3_checkbox sd3_cache_text_encoder_outputs sd3_cache_text_encoder_outputs_to_disk sd3_fused_backward_pass
        clip_g clip_g_dropout_rate sd3_clip_l sd3_clip_l_dropout_rate sd3_disable_mmap_load_safetensors
        sd3_enable_scaled_pos_embed enable_scaled_pos_embed clip_l_dropout_rate t5_dropout_rate
        text_encoder_batch_size logit_mean logit_std mode_scale pos_emb_random_crop_rate save_clip save_t5xxl
        sd3_t5_dropout_rate sd3_t5xxl t5xxl_device t5xxl_dtype sd3_text_encoder_batch_size weighting_scheme""",
    "HunyuanImage": """
        hunyuan_image_checkbox hunyuan_image_cache_text_encoder_outputs
        hunyuan_image_cache_text_encoder_outputs_to_disk hunyuan_text_encoder hunyuan_byt5 hunyuan_vae
        hunyuan_discrete_flow_shift hunyuan_model_prediction_type hunyuan_timestep_sampling hunyuan_sigmoid_scale
        hunyuan_attn_mode hunyuan_split_attn hunyuan_fp8_scaled hunyuan_fp8_vl hunyuan_text_encoder_cpu
        hunyuan_vae_chunk_size text_encoder byt5""",
    "Anima": """
        anima_checkbox anima_cache_text_encoder_outputs anima_cache_text_encoder_outputs_to_disk anima_qwen3 anima_vae
        anima_llm_adapter_path anima_t5_tokenizer_path anima_discrete_flow_shift anima_timestep_sampling
        anima_sigmoid_scale anima_qwen3_max_token_length anima_t5_max_token_length anima_attn_mode anima_split_attn
        anima_vae_chunk_size anima_vae_disable_cache anima_unsloth_offload_checkpointing anima_qwen_image_vae_2d
        anima_compile anima_torch_compile anima_compile_backend anima_compile_mode anima_compile_dynamic
        anima_compile_fullgraph anima_compile_cache_size_limit""",
    "Lumina": """
        lumina_checkbox lumina_cache_text_encoder_outputs lumina_cache_text_encoder_outputs_to_disk lumina_gemma2
        lumina_ae lumina_discrete_flow_shift lumina_model_prediction_type lumina_timestep_sampling
        lumina_sigmoid_scale lumina_gemma2_max_token_length lumina_system_prompt lumina_use_flash_attn
        lumina_use_sage_attn""",
}
FAMILIES = tuple(
    Option(name, "text", text=f"an option of {family}", quiet=True)
    for family, names in _NAMES.items()
    for name in names.split()
)
