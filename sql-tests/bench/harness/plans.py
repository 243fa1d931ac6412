"""What EXPLAIN (FORMAT JSON) tells of a plan: a tree of nodes, in the form that PostgreSQL gives them."""

JOINS = {"Hash Join", "Merge Join", "Nested Loop"}
# The properties in which the kinds of joins have their conditions.
CONDITIONS = ["Hash Cond", "Merge Cond", "Join Filter"]
# What shows a row only when it has taken all of its input.
WHOLE_INPUT = {"Sort", "Hash"}


def explained(peer, query, *options):
    """The plan of a query, with what happened when it ran if the options have ANALYZE."""
    peer.execute(f"EXPLAIN ({', '.join([*options, 'FORMAT JSON'])}) {query}")
    ((answer,),) = peer.rows()
    return answer[0]["Plan"]


def is_scan(node):
    """Whether it reads a table. An index that is read for a bitmap has no relation, nor has a common table expression."""
    return node["Node Type"].endswith("Scan") and "Relation Name" in node


def is_join(node):
    return node["Node Type"] in JOINS


def conditions(node):
    """By what it joins."""
    return " AND ".join(node[name] for name in CONDITIONS if name in node)


def relation(node):
    """What it reads: the relation, and its alias unless that is the same."""
    name, alias = node["Relation Name"], node.get("Alias")
    return name if alias in (None, name) else f"{name} {alias}"


def nodes(node, cut=False):
    """All nodes below one, itself first, each with whether a LIMIT may have ended it before it had shown all its rows.

    The plan must be one that ran.
    """
    yield node, cut
    for child in node.get("Plans", ()):
        yield from nodes(child, cut_below(node, child, cut))


def cut_below(node, child, cut):
    """Whether a LIMIT may have ended a child, where `cut` says this of its parent."""
    is_input = child.get("Parent Relationship") != "InitPlan"
    if node["Node Type"] == "Limit":
        # It does not tell how many rows it lets pass, but that is no less than what it expects.
        return is_input and (cut or node["Actual Rows"] >= node["Plan Rows"])
    return cut and is_input and not takes_all(node, child)


def takes_all(node, child):
    """Whether a node shows its first row only when it has all those of this child."""
    if node["Node Type"] == "Aggregate":
        return node.get("Strategy") != "Sorted"
    build_side = node["Node Type"] == "Hash Join" and child.get("Parent Relationship") == "Inner"
    return build_side or node["Node Type"] in WHOLE_INPUT


def shape(node):
    """What is joined with what, how, and on which side, as text: plans of the same shape do the same."""
    inputs = [shape(child) for child in node.get("Plans", ())]
    if is_scan(node):
        inputs.insert(0, relation(node))
    name = node["Node Type"]
    if is_join(node) and node["Join Type"] != "Inner":
        name = f"{name} {node['Join Type']}"
    beside = node.get("Parent Relationship", "Outer")
    return f"{'' if beside == 'Outer' else beside + ' '}{name}({', '.join(inputs)})"
