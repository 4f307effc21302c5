"""Energy and carbon of what models put out, estimated by EcoLogits: an extra, loaded by its own command only."""
