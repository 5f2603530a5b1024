"""How networks learn: losses, samplers, optimisers, schedules, callbacks, and the engine over them."""
