"""Tests of KerasTuner's interface."""
