"""Energy and carbon of the models' output, estimated by EcoLogits. An extra: only its own command imports it."""
