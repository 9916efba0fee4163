"""Renderers: functions of the Report. Nothing before this package imports rich."""
