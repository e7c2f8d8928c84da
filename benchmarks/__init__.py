"""What this project costs, alone and beside its peers."""
