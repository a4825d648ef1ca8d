"""From questions with known answers to figures that a choice can lean on."""
