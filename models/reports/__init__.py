"""How is it shown? Figures, tables, one HTML page."""

from models.reports.summary import summary

__all__ = ["summary", "write_report"]


def __getattr__(name):
    if name == "write_report":
        from models.reports.page import write_report

        return write_report
    raise AttributeError(f"module 'models.reports' has no attribute {name!r}")
