"""The command ``videmo reason``: emotion reasoning about videos, one or a thousand."""
