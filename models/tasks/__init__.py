"""What the tasks are: the dictionary of 26 tasks, and views as values that are checked when they
are made.
"""

from models.tasks.dictionary import TASKS, check_label_folders, source_names, target_names, task
from models.tasks.domain import DOMAINS, Domain, label_domains
from models.tasks.kinds import ANSWERED, DENSE, KINDS, Kind, by_kind
from models.tasks.task import Output, PublishedRecipe, Task
from models.tasks.view import Camera, View, ViewKey, building_of

__all__ = [
    "ANSWERED",
    "DENSE",
    "DOMAINS",
    "KINDS",
    "TASKS",
    "Camera",
    "Domain",
    "Kind",
    "Output",
    "PublishedRecipe",
    "Task",
    "View",
    "ViewKey",
    "building_of",
    "by_kind",
    "check_label_folders",
    "label_domains",
    "source_names",
    "target_names",
    "task",
]
