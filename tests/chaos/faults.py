"""All kinds of faults: whoever wants the table imports it from here."""

import faults_links  # noqa: F401  pylint: disable=unused-import
import faults_processes  # noqa: F401  pylint: disable=unused-import
import faults_servers  # noqa: F401  pylint: disable=unused-import
from kinds import KINDS, Scene

__all__ = ["KINDS", "Scene"]
