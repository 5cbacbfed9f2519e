"""Sections as text for a terminal, and as Markdown."""

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


def cell(value):
    """Numbers as people read them: 12,345 and 3.26."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "" if value is None else str(value)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text_table(table):
    rows = [table.head, *([cell(value) for value in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    right = [any(is_number(row[column]) for row in table.rows) for column in range(len(table.head))]
    lines = ["  ".join(text.rjust(width) if at_right else text.ljust(width)
                       for text, width, at_right in zip(row, widths, right)).rstrip() for row in rows]
    return "\n".join(f"  {line}" for line in lines)


def markdown_table(table):
    right = [any(is_number(row[column]) for row in table.rows) for column in range(len(table.head))]
    lines = [table.head, ["---:" if at_right else "---" for at_right in right],
             *([cell(value).replace("|", "\\|") for value in row] for row in table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_text(sections):
    parts = []
    for section in sections:
        parts.append(section.title)
        parts += [text_table(table) for table in section.tables if table.rows]
        parts += [f"  {note}" for note in section.notes]
        parts.append("")
    return "\n".join(parts).rstrip()


def as_markdown(sections, folder):
    """Pictures are named relative to the page: folder is where they are, "" or with a slash at its end."""
    parts = []
    for section in sections:
        parts.append(f"## {section.title}")
        parts += [markdown_table(table) for table in section.tables if table.rows]
        parts += ["\n".join(f"- {note}" for note in section.notes)] if section.notes else []
        parts += [f"![{plot.title}]({folder}{plot.name}.svg)" for plot in section.plots]
    return "\n\n".join(parts) + "\n"


def between_marks(page, text):
    """The page with what stands between its marks replaced."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"the page has no marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"
