"""Checks plans of `telehand hub plan --json FILE`, and bounds how good any plan could be.

Shares no code with telehand. The check books every resource slot by slot in dictionaries. The bound is a relaxation to
the capacities of days, solved by HiGHS: choose day and choice of each case, so that the slots of rooms, stand-by
surgeons, surgeons, consoles and paths suffice day by day. No plan is worth more than the bound.

    python plan_check.py [--at-least PER_CENT] [--lp] FILE..
"""

import argparse
import json
import sys
from bisect import bisect_right
from collections import Counter, defaultdict

import highspy


def value(problem, case, choice, day, placed=None):
    """The worth of a case on a day by a choice; with `placed`, also of staying as published."""
    w, late = problem["weights"], max(0, day - case["due_day"])
    points = w["urgency"] * case["weight"] - w["early"] * day - w["late"] * case["weight"] * late
    small = w["equity"] * problem["sites"][case["site"]]["equity"] + w["rtt_margin"] * choice["rtt_margin"]
    small += w["travel"] * choice["travel"] + w["continuity"] * (case["known_to"] == choice["surgeon"])
    was = case["published"]
    if was and (placed is None or (was["start"], was["room"]) == (placed["start"], placed["room"])):
        small += w["stability"] * (case["choices"][was["choice"]]["surgeon"] == choice["surgeon"])
    return w["unit"] * points + small


def days_of(problem, case):
    return problem["zones"][problem["sites"][case["site"]]["zone"]]["midnights"]


def spans(case, start):
    """Whole case, remote phase, remote phase with its buffers, as ranges of slots."""
    p = case["phases"]
    remote, whole = start + p["pre"], start + p["pre"] + p["remote"] + p["post"]
    end = remote + p["remote"]
    return range(start, whole), range(remote, end), range(remote - p["early"], end + p["late"])


def open_at(hours):
    return {slot for span in hours for slot in range(span["from"], span["until"])}


def verify(problem, plan):
    """Every fault of the plan, as text."""
    taken, faults, total = Counter(), [], 0
    want = lambda good, case, text: good or faults.append(f"{case['id']}: {text}")
    hours = {
        (kind, at): (open_at(row["open"]), open_at(row.get("reserve", [])))
        for kind in ("rooms", "standbys", "surgeons", "pairs")
        for at, row in enumerate(problem[kind])
    }

    def hold(case, kind, at, busy, needed, limit=1):
        if (kind, at) in hours:
            is_open, reserve = hours[kind, at]
            want(set(needed) <= is_open, case, f"{kind} {at} is not open")
            want(case["emergency"] or not set(needed) & reserve, case, f"{kind} {at} is kept for emergencies")
        for slot in busy:
            taken[kind, at, slot] += 1
            want(taken[kind, at, slot] <= limit, case, f"{kind} {at} slot {slot} over {limit}")

    for put in plan["placements"]:
        case = problem["cases"][put["case"]]
        choice, room, frozen = case["choices"][put["choice"]], problem["rooms"][put["room"]], False
        if was := case["published"]:
            frozen = was["start"] < problem["frozen_until"]
        whole, remote, kept = spans(case, put["start"])
        late_room = case["phases"]["room_late"]
        want(frozen or put["start"] >= max(case["earliest"], problem["open_from"]), case, "too early")
        want(put["room"] in case["rooms"], case, "wrong room")
        hold(case, "rooms", put["room"], range(put["start"], whole.stop + late_room + room["turnover"]), whole)
        want((put["standby"] in case["standbys"]) if case["standbys"] else put["standby"] is None, case, "no stand-by")
        if put["standby"] is not None:
            hold(case, "standbys", put["standby"], range(put["start"], whole.stop + late_room), whole)
        surgeon = problem["surgeons"][choice["surgeon"]]
        hold(case, "surgeons", choice["surgeon"], kept, remote)
        if surgeon["concurrent"] is not None:
            hold(case, "answering", choice["surgeon"], whole, (), surgeon["concurrent"])
        pool, console = problem["pools"][surgeon["pool"]], put["console"]
        want(0 <= console < len(pool["consoles"]), case, "no such console")
        down = (set(range(span["from"], span["until"])) for at, span in pool["down"] if at == console)
        want(not any(slots & set(kept) for slots in down), case, "the console is down")
        hold(case, "console", (surgeon["pool"], console), kept, ())
        if not case["emergency"]:
            hold(case, "elective", surgeon["pool"], kept, (), len(pool["consoles"]) - pool["reserve"])
        if choice["pair"] is not None:
            hold(case, "pairs", choice["pair"], kept, remote, problem["pairs"][choice["pair"]]["sessions"])
        zone = problem["zones"][surgeon["zone"]]
        nights = set(remote) & open_at(zone["nights"])
        for key, more, limit in (
            (bisect_right(zone["midnights"], remote.start), len(remote), surgeon["day_limit"]),
            ("night", len(nights), surgeon["night_limit"]),
        ):
            taken["tired", choice["surgeon"], key] += more
            want(limit is None or taken["tired", choice["surgeon"], key] <= limit, case, f"surgeon over {limit} slots")
        worth = value(problem, case, choice, bisect_right(days_of(problem, case), put["start"]) - 1, put)
        want(frozen or worth > 0, case, "worth nothing there")
        total += worth
    placed = [put["case"] for put in plan["placements"]]
    if sorted(placed + plan["unplaced"]) != list(range(len(problem["cases"]))):
        faults.append("not every case is told of exactly once")
    where = {put["case"]: put for put in plan["placements"]}
    for at, case in enumerate(problem["cases"]):
        if (was := case["published"]) and was["start"] < problem["frozen_until"]:
            same = at in where and all(where[at][key] == was[key] for key in ("start", "room", "choice"))
            want(same, case, "frozen, and moved")
    if total != plan["value"]:
        faults.append(f"the plan tells the value {plan['value']}, it is {total}")
    return faults


def unseen(problem, plan):
    """What a broken plan could hide from `verify`: every break below must be found."""
    first, last = plan["placements"][0], plan["placements"][-1]
    breaks = {
        "a value that is not the sum": lambda p: p.update(value=p["value"] + 1),
        "a case that is left out": lambda p: p["placements"].pop(),
        "a case that is placed twice": lambda p: p["placements"].append(first),
        "two cases in one place": lambda p: p["placements"][0].update(room=last["room"], start=last["start"]),
        "a console that is not there": lambda p: p["placements"][0].update(console=999),
        "a case at night": lambda p: p["placements"][0].update(start=0),
    }
    for name, change in breaks.items():
        broken = json.loads(json.dumps(plan))
        change(broken)
        if not verify(problem, broken):
            yield f"{name} was not found: the check itself is wrong"


def bound(problem, whole_numbers):
    """The most any plan can be worth, and what it was asked: (bound, variables)."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", 1e-4)
    model.setOptionValue("time_limit", 300.0)
    per_case, load, limits, costs = defaultdict(list), defaultdict(list), {}, []
    hours = {kind: [open_at(row["open"]) for row in problem[kind]] for kind in ("rooms", "standbys", "surgeons")}
    usable = defaultdict(set)
    for who, group, p in {(ch["surgeon"], tuple(c["rooms"]), (c["phases"]["pre"], c["phases"]["post"]))
                          for c in problem["cases"] for ch in c["choices"]}:
        for slots in (hours["rooms"][room] for room in group):
            # the surgeon's part begins after the room has been open for `pre`, and ends `post` before it closes
            usable[who] |= {slot + p[0] for slot in slots} & {slot - p[1] for slot in slots}
    hours["surgeons"] = [slots & usable[who] for who, slots in enumerate(hours["surgeons"])]
    at_work = [Counter() for _ in problem["pools"]]
    for row, slots in zip(problem["surgeons"], hours["surgeons"]):
        at_work[row["pool"]].update(slots)
    longest = max(len(spans(case, 0)[0]) for case in problem["cases"])

    def use(key, slots, room):
        """The variable made next takes `slots` of a capacity that is `room()`, counted once."""
        if key not in limits:
            limits[key] = room()
        load[key].append((len(costs), slots))

    for at, case in enumerate(problem["cases"]):
        whole, remote, _ = (len(span) for span in spans(case, 0))
        edges = days_of(problem, case)
        for day, (begin, end) in enumerate(zip(edges, edges[1:])):
            if end <= max(case["earliest"], problem["open_from"]):
                continue
            # what begins on this day may end on the next
            inside = lambda slots, begin=begin, end=end: sum(begin <= slot < end + longest for slot in slots)
            for choice in case["choices"]:
                if (worth := value(problem, case, choice, day)) <= 0:
                    continue
                for kind in ("rooms", "standbys"):
                    # the rooms and stand-by surgeons of a case are interchangeable: their hours are summed
                    if group := tuple(case[kind]):
                        use((kind, group, begin), whole, lambda: sum(inside(hours[kind][row]) for row in group))
                who = choice["surgeon"]
                use(("surgeon", who, begin), remote, lambda: inside(hours["surgeons"][who]))
                pool = problem["surgeons"][who]["pool"]
                consoles = len(problem["pools"][pool]["consoles"])
                seats = lambda: sum(min(many, consoles) * inside([slot]) for slot, many in at_work[pool].items())
                use(("consoles", pool, begin), remote, seats)
                per_case[at].append(len(costs))
                costs.append(float(worth))
    columns = len(costs)
    scale = problem["weights"]["unit"]
    for _ in costs:
        model.addVar(0.0, 1.0)
    model.changeColsCost(columns, list(range(columns)), [-cost / scale for cost in costs])
    if whole_numbers:
        model.changeColsIntegrality(columns, list(range(columns)), [highspy.HighsVarType.kInteger] * columns)
    for mine in per_case.values():
        model.addRow(-highspy.kHighsInf, 1.0, len(mine), mine, [1.0] * len(mine))
    for key, terms in load.items():
        which, slots = [at for at, _ in terms], [float(many) for _, many in terms]
        model.addRow(-highspy.kHighsInf, float(limits[key]), len(terms), which, slots)
    model.run()
    info = model.getInfo()
    best = info.mip_dual_bound if whole_numbers else info.objective_function_value
    return -best * scale, columns


def main():
    ask = argparse.ArgumentParser(description="checks plans and bounds them")
    ask.add_argument("files", nargs="+")
    ask.add_argument("--at-least", type=float, default=0.0, help="per cent of the bound")
    ask.add_argument("--lp", action="store_true", help="bound without whole numbers: faster, a little higher")
    asked = ask.parse_args()
    bad = 0
    for path in asked.files:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        faults = verify(told["problem"], told["plan"]) or list(unseen(told["problem"], told["plan"]))
        for fault in faults[:10]:
            print(f"{path}: {fault}")
        most, columns = bound(told["problem"], not asked.lp)
        share = 100.0 * told["plan"]["value"] / most
        count = len(told["plan"]["placements"])
        print(f"{path}: {count} of {len(told['problem']['cases'])} cases placed, {len(faults)} faults, "
              f"value {told['plan']['value']}, bound {most:.0f} ({columns} variables): {share:.2f} %")
        bad += bool(faults) or share < asked.at_least
    sys.exit(bad)


if __name__ == "__main__":
    main()
