"""What passes between both ends: typed values and messages, bounded and never run."""
