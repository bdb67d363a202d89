"""How a page is made and entered: templates, headers, the browser in front of it, the line in the log."""
