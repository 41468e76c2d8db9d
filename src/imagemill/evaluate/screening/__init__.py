"""Before any arm is trained: every transform ranked by one clean network, and pipelines taken apart in that order."""
