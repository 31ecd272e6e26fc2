"""Changes files of the user: by writing, cutting, linking, moving and replacing."""

import os

from attempts import Attempts


def write(path, mode):
    with open(path, mode) as file:
        file.write("stolen")


def write_through_link(path):
    os.symlink(path, "soft")
    write("soft", "r+")


def write_through_hard_link(path):
    os.link(path, "hard")
    write("hard", "r+")


def move_out(path):
    write("mine", "w")
    os.rename("mine", path)


def move_folder_out(path):
    os.mkdir("folder")
    os.rename("folder", path)


def exchange_own_room(path):
    os.rename(os.getcwd(), path)


def do(targets):
    tried = Attempts()
    tried("write", write, targets["written"], "r+")
    tried("append", write, targets["appended"], "a")
    tried("cut", os.truncate, targets["cut"], 0)
    tried("create", write, targets["created"], "w")
    tried("make folder", os.mkdir, targets["made"])
    tried("remove", os.unlink, targets["removed"])
    tried("soft link", write_through_link, targets["written through a link"])
    tried("hard link", write_through_hard_link, targets["written through a hard link"])
    tried("move out", move_out, targets["replaced"])
    tried("move folder out", move_folder_out, targets["moved out"])
    tried("move in", os.rename, targets["moved in"], "taken")
    tried("exchange", exchange_own_room, targets["own folder"])
    for cache in (".cache/pip", ".ccache", ".cargo/registry"):
        tried("cache " + cache, write, targets[cache], "w")
    for place in targets["common"]:
        tried("create " + place, write, place, "w")
    return tried
