"""Compares telehand's kinematics with roboticstoolbox-python, an independent implementation.

The robots are built from the parameters that `telehand arm params --json` prints (the ones the
servo loop uses); both programs then place the tip for the same random joints. M-074.

    python kinematics.py path/to/telehand [--poses 1000] [--seed 1]
"""

import argparse
import json
import subprocess
import sys

import numpy as np
import roboticstoolbox as rtb
from spatialmath import SE3

LIMIT = 1e-9
"""Largest difference allowed: metres, and elements of the rotation matrix."""


def run(program, *words, stdin=None):
    """Standard output of `telehand arm ...`."""
    done = subprocess.run(
        [program, "arm", *words], input=stdin, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        sys.exit(f"telehand arm {' '.join(words)} failed:\n{done.stderr}{done.stdout[-2000:]}")
    return done.stdout


def link(joint, convention):
    """One joint in roboticstoolbox's words."""
    alpha, a, d, offset = (joint[k] for k in ("alpha_rad", "a_m", "d_m", "offset"))
    if joint["type"] == "revolute":
        kind = rtb.RevoluteMDH if convention == "modified" else rtb.RevoluteDH
        return kind(alpha=alpha, a=a, d=d, offset=offset)
    if convention != "modified" or d != 0:
        sys.exit(f"no word for the sliding joint {joint['name']}")
    return rtb.PrismaticMDH(alpha=alpha, a=a, theta=0.0, offset=offset)


def reference(robot):
    """The robot, built in roboticstoolbox from our parameters."""
    links = [link(joint, robot["convention"]) for joint in robot["joints"]]
    tip = SE3.Rt(np.array(robot["tip"]["rotation"]), robot["tip"]["position_m"])
    return rtb.DHRobot(links, name=robot["robot"], tool=tip)


def ours(program, name, joints):
    """Our poses as 4 x 4 matrices."""
    lines = "\n".join(",".join(repr(float(q)) for q in row) for row in joints)
    poses = []
    for line in run(program, "fk", "--robot", name, "--stdin", stdin=lines).splitlines():
        answer = json.loads(line)
        pose = np.eye(4)
        pose[:3, :3] = answer["rotation"]
        pose[:3, 3] = answer["position_m"]
        poses.append(pose)
    return np.array(poses)


def worst(theirs, found):
    """Largest difference in metres and in matrix elements."""
    gap = np.abs(theirs - found)
    return gap[:, :3, 3].max(), gap[:, :3, :3].max()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("telehand", help="the program to test")
    options.add_argument("--poses", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()

    random = np.random.default_rng(given.seed)
    robots = json.loads(run(given.telehand, "params", "--json"))["robots"]
    if [robot["robot"] for robot in robots] != ["psm", "ecm", "ur5e", "ur10e"]:
        sys.exit("expected the robots psm, ecm, ur5e and ur10e")
    failed = False
    for robot in robots:
        name = robot["robot"]
        low, high = (np.array([joint[k] for joint in robot["joints"]]) for k in ("min", "max"))
        joints = random.uniform(low, high, (given.poses, len(low)))
        found = ours(given.telehand, name, joints)
        if len(found) != given.poses:
            sys.exit(f"{name}: {given.poses} joint vectors went in, {len(found)} poses came out")
        metres, elements = worst(np.array(reference(robot).fkine(joints).A), found)
        # the same comparison must notice a robot that is 1 um different
        robot["joints"][-1]["a_m"] += 1e-6
        noticed = worst(np.array(reference(robot).fkine(joints).A), found)[0] > LIMIT
        good = metres <= LIMIT and elements <= LIMIT and noticed
        failed |= not good
        print(
            f"{name:6} {given.poses} poses: {metres:.1e} m, {elements:.1e} in the rotation, "
            f"1 um noticed: {noticed}: {'ok' if good else 'FAILED'}"
        )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
