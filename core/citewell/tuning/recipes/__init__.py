"""What a training is told: a file of settings, checked as a whole before anything is done."""
