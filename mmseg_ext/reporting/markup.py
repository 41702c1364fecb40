"""Result tables as Markdown and as LaTeX (booktabs)."""

from __future__ import annotations

from mmseg_ext.reporting.formatting import interval_text, value_text
from mmseg_ext.reporting.inputs import Inputs
from mmseg_ext.reporting.tables import ResultTable, Row, Score

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "–": "--",
}  # fmt: skip


def latex_escape(text: str) -> str:
    """Return text with every character special to LaTeX escaped."""
    return "".join(_LATEX.get(character, character) for character in text)


def markdown(table: ResultTable, inputs: Inputs, track: str) -> str:
    """Return a table as GitHub Markdown, caption below."""
    header = ["Method", "Condition", *table.columns, *(["Group"] if table.has_letters else [])]
    lines = [f"### {table.title}", "", _bar(header), _bar(["---", "---", *["--:"] * (len(header) - 2)])]
    for row in table.rows:
        cells = [_markdown_score(score) for score in row.scores] or [row.failure, *[""] * (len(table.columns) - 1)]
        letters = [row.letters] if table.has_letters else []
        lines.append(_bar([row.title, inputs.condition_title(track, row.condition), *cells, *letters]))
    return "\n".join([*lines, "", table.caption, ""])


def _bar(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _markdown_score(score: Score) -> str:
    value = value_text(score.measure, score.mean)
    return f"{f'**{value}**' if score.best else value} {interval_text(score.measure, score.low, score.high)}"


def latex(table: ResultTable, inputs: Inputs, track: str) -> str:
    """Return a table as a LaTeX float; needs the package booktabs."""
    columns = [*table.columns, *(["Group"] if table.has_letters else [])]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_escape(f'{table.title}. {table.caption}')}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{ll{'r' * len(columns)}}}",
        r"\toprule",
        _line(["Method", "Condition", *map(latex_escape, columns)]),
        r"\midrule",
        *(_latex_row(row, table, inputs.condition_title(track, row.condition)) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(row: Row, table: ResultTable, condition: str) -> str:
    start = [latex_escape(row.title), latex_escape(condition)]
    letters = [row.letters] if table.has_letters else []
    if not row.scores:
        span = rf"\multicolumn{{{len(table.columns) + len(letters)}}}{{l}}{{\emph{{{latex_escape(row.failure)}}}}}"
        return _line([*start, span])
    return _line([*start, *map(_latex_score, row.scores), *letters])


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_score(score: Score) -> str:
    value = latex_escape(value_text(score.measure, score.mean))
    value = rf"\textbf{{{value}}}" if score.best else value
    return rf"{value} {{\scriptsize {interval_text(score.measure, score.low, score.high)}}}"
