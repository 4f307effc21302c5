"""What several tests use: recorded shapes, scripted servers, real programs. Holds no test."""
