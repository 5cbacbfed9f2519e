"""What bench/report is made of: results → sections (tables and plots as data) → text, Markdown, pictures."""
