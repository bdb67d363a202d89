"""What an authorization is: pure values and laws. Standard library only; time is an argument."""
