"""What breaks things on purpose: proxies in front of programs and of PostgreSQL, full disks, clocks that are off."""
