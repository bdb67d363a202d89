"""The pages people see, server-rendered; each works without JavaScript."""
