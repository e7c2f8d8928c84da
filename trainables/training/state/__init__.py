"""What a trial's own code keeps beside its model's weights: what a checkpoint has of it, and what it has not."""
