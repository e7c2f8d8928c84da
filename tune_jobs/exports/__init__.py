"""Other people's tools: what a run tells them while it goes on, and studies made of a run."""
