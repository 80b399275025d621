#!/usr/bin/env python3
"""Makes IdnaTables.g.cs: UTS #46 mapping, canonical composition, combining classes, marks.

Input, all of one Unicode version, named as the Unicode Consortium publishes them:

  UnicodeData.txt            Unicode Character Database (UCD); Debian: package unicode-data
  CompositionExclusions.txt  the same place
  IdnaMappingTable.txt       UTS #46 data ("idna" beside the UCD). The npm package tr46 carries the same
                             table as lib/mappingTable.json, which is read as well.

  --older takes the mapping tables of earlier Unicode versions, as far back as the ICU of the oldest
  Postfix served. A code point that was mapped to one thing then and to another now is refused: which
  name Postfix meant depends on its ICU, so no answer would be the truth. (One exists: U+1E9E, "ss"
  before Unicode 15.1, U+00DF since.)

Usage: make-tables.py --unicode-version 17.0.0 --unicode-data UnicodeData.txt
           --exclusions CompositionExclusions.txt --idna IdnaMappingTable.txt
           [--older FILE]... > IdnaTables.g.cs

Bidi classes and joining types are left out on purpose: Postfix opens ICU without UIDNA_CHECK_BIDI and
UIDNA_CHECK_CONTEXTJ, so they decide nothing (util/midna_domain.c).
"""
import argparse
import json
import sys

LAST = 0x10FFFF
VALID, DISALLOWED, MAPPED = "valid", "disallowed", "mapped"

# Kinds of a range, the low three bits of its value; IdnaMapping.cs reads them.
KIND_VALID, KIND_DISALLOWED, KIND_IGNORED, KIND_DELTA, KIND_ALTERNATING, KIND_STRINGS = range(6)


def table_lines(path):
    """(first, last, status, mapping) of IdnaMappingTable.txt or tr46's mappingTable.json."""
    with open(path, encoding="utf-8") as file:
        if path.endswith(".json"):
            names = {1: "mapped", 2: "valid", 3: "disallowed", 4: "disallowed_STD3_valid",
                     5: "disallowed_STD3_mapped", 6: "deviation", 7: "ignored"}
            for row in json.load(file):
                first, last = row[0] if isinstance(row[0], list) else (row[0], row[0])
                status = row[1] if isinstance(row[1], str) else names[row[1]]
                yield first, last, status, [ord(c) for c in row[2]] if len(row) > 2 else []
            return
        for line in file:
            fields = [field.strip() for field in line.split("#")[0].split(";")]
            if len(fields) < 2:
                continue
            first, _, last = fields[0].partition("..")
            mapping = fields[2].split() if len(fields) > 2 else []
            yield int(first, 16), int(last or first, 16), fields[1], [int(c, 16) for c in mapping]


def load_mapping(path):
    """Per code point VALID, DISALLOWED or the tuple it maps to (empty: ignored).

    UseSTD3ASCIIRules is off, as in Postfix, which checks the result as a host name instead.
    Deviations (sharp s, final sigma, joiners) stay as they are: non-transitional processing.
    """
    result = [DISALLOWED] * (LAST + 1)
    for first, last, status, mapping in table_lines(path):
        if status in ("valid", "deviation", "disallowed_STD3_valid"):
            value = VALID
        elif status in ("mapped", "disallowed_STD3_mapped"):
            value = tuple(mapping)
        elif status == "ignored":
            value = ()
        elif status == "disallowed":
            value = DISALLOWED
        else:
            sys.exit(f"{path}: unknown status {status}")
        for code in range(first, last + 1):
            result[code] = value
    return result


def load_unicode_data(path):
    """Combining classes, canonical decompositions, and the set of general category M."""
    classes, decompositions, marks = {}, {}, set()
    range_first = None
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.rstrip("\n").split(";")
            code = int(fields[0], 16)
            if fields[1].endswith(", First>"):
                range_first = code
                continue
            first = range_first if fields[1].endswith(", Last>") else code
            range_first = None
            for each in range(first, code + 1):
                if fields[3] != "0":
                    classes[each] = int(fields[3])
                if fields[2].startswith("M"):
                    marks.add(each)
                if fields[5] and not fields[5].startswith("<"):
                    decompositions[each] = tuple(int(c, 16) for c in fields[5].split())
    return classes, decompositions, marks


def load_exclusions(path):
    with open(path, encoding="utf-8") as file:
        return {int(line.split("#")[0].strip(), 16) for line in file if line.split("#")[0].strip()}


def composites(classes, decompositions, exclusions):
    """Primary composites: (composite, first, second). UAX #15, section 5."""
    result = []
    for code, parts in sorted(decompositions.items()):
        if len(parts) == 2 and code not in exclusions and not classes.get(code) and not classes.get(parts[0]):
            result.append((code, parts[0], parts[1]))
    return result


def mapping_ranges(mapping):
    """(start, kind, payload) for every run, and the strings the last kind refers to."""
    ranges, strings = [], []

    def single(code):
        value = mapping[code] if code <= LAST else None
        return value[0] - code if isinstance(value, tuple) and len(value) == 1 else None

    code = 0
    while code <= LAST:
        start, value = code, mapping[code]
        if value in (VALID, DISALLOWED, ()):
            while code <= LAST and mapping[code] == value:
                code += 1
            kind = {VALID: KIND_VALID, DISALLOWED: KIND_DISALLOWED, (): KIND_IGNORED}[value]
            ranges.append((start, kind, 0))
            continue
        if single(code) == 1 and code < LAST and mapping[code + 1] == VALID and single(code + 2) == 1:
            while single(code) == 1 and mapping[code + 1] == VALID:
                code += 2
            ranges.append((start, KIND_ALTERNATING, 0))
            continue
        delta = single(code)
        if delta is not None and single(code + 1) == delta:
            while single(code) == delta:
                code += 1
            ranges.append((start, KIND_DELTA, delta))
            continue
        # Different strings in a row: one range, one string each, until something shorter to say begins.
        ranges.append((start, KIND_STRINGS, len(strings)))
        while code <= LAST and isinstance(mapping[code], tuple) and mapping[code]:
            delta = single(code)
            if code > start and delta is not None and single(code + 1) == delta and single(code + 2) == delta:
                break
            if code > start and delta == 1 and mapping[code + 1] == VALID and single(code + 2) == 1:
                break
            strings.append(mapping[code])
            code += 1
    return ranges, strings


def utf16(codes):
    units = []
    for code in codes:
        if code > 0xFFFF:
            units += [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]
        else:
            units.append(code)
    return units


def pool_of(strings):
    """One pool of UTF-16 units, longest first so that short strings are found inside long ones."""
    pool, text, where = [], "", {}
    for string in sorted(set(strings), key=lambda s: (-len(utf16(s)), s)):
        units = utf16(string)
        key = "".join(map(chr, units))
        at = text.find(key)
        if at < 0:
            at = len(pool)
            pool += units
            text += key
        where[string] = at << 5 | len(units)
        assert len(units) < 32
    return pool, [where[string] for string in strings]


def runs(values):
    """(first, last, value) of a {code: value} dictionary."""
    result = []
    for code in sorted(values):
        if result and result[-1][1] == code - 1 and result[-1][2] == values[code]:
            result[-1][1] = code
        else:
            result.append([code, code, values[code]])
    return result


def emit(name, kind, numbers, comment):
    out = [f"    /// <summary>{comment}</summary>", f"    internal static ReadOnlySpan<{kind}> {name} =>", "    ["]
    line = "       "
    for number in numbers:
        text = f" {number}," if number < 10 else f" 0x{number:X},"
        if len(line) + len(text) > 138:
            out.append(line)
            line = "       "
        line += text
    out += [line, "    ];", ""]
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unicode-version", required=True)
    parser.add_argument("--unicode-data", required=True)
    parser.add_argument("--exclusions", required=True)
    parser.add_argument("--idna", required=True)
    parser.add_argument("--older", action="append", default=[])
    options = parser.parse_args()

    mapping = load_mapping(options.idna)
    ambiguous = set()
    for path in options.older:
        older = load_mapping(path)
        ambiguous |= {c for c in range(LAST + 1) if older[c] != DISALLOWED and older[c] != mapping[c]}
    for code in ambiguous:
        mapping[code] = DISALLOWED

    classes, decompositions, marks = load_unicode_data(options.unicode_data)
    primary = composites(classes, decompositions, load_exclusions(options.exclusions))

    # Nfc.cs decomposes primary composites only. That is enough as long as nothing else with a canonical
    # decomposition survives the mapping.
    survivors = {c for c in range(LAST + 1) if mapping[c] == VALID}
    survivors |= {c for value in mapping if isinstance(value, tuple) for c in value}
    stray = {c for c in survivors if c in decompositions} - {composite for composite, _, _ in primary}
    if stray:
        sys.exit("mapped text holds code points that NFC would change: " + " ".join(f"{c:04X}" for c in sorted(stray)))

    ranges, strings = mapping_ranges(mapping)
    pool, references = pool_of(strings)
    by_pair = sorted(range(len(primary)), key=lambda i: primary[i][1:])
    class_runs = runs(classes)
    mark_runs = runs(dict.fromkeys(marks, True))

    out = [
        "// <auto-generated>",
        "// Made by make-tables.py in this folder. Do not edit; make it again.",
        f"// Unicode {options.unicode_version}. Refused because earlier versions map them otherwise: "
        + (" ".join(f"U+{c:04X}" for c in sorted(ambiguous)) or "none") + ".",
        "// Derived from Unicode data files, (c) Unicode, Inc., licence Unicode-3.0: see LICENSE-UNICODE beside this file.",
        "// </auto-generated>",
        "#nullable enable",
        "namespace PolicyDaemon.Core.Destinations.Idna.Tables;",
        "",
        "internal static class IdnaTables",
        "{",
        f"    internal const string UnicodeVersion = \"{options.unicode_version}\";",
        "",
    ]
    out += emit("RangeStarts", "uint", [start for start, _, _ in ranges],
                "First code point of each range of one treatment; the ranges cover everything.")
    out += emit("RangeValues", "uint", [(payload & 0x1FFFFFFF) << 3 | kind for _, kind, payload in ranges],
                "Low three bits: kind (IdnaMapping.Kind); above them its payload, signed.")
    out += emit("Strings", "uint", references, "Mappings: offset into the pool in UTF-16 units, times 32, plus length.")
    out += emit("Pool", "ushort", pool, "UTF-16 units of all mappings.")
    out += emit("Composites", "uint", [c for c, _, _ in primary], "Primary composites in code point order.")
    out += emit("CompositeFirsts", "uint", [f for _, f, _ in primary], "First half of each composite.")
    out += emit("CompositeSeconds", "uint", [s for _, _, s in primary], "Second half of each composite.")
    out += emit("CompositesByPair", "ushort", by_pair, "Indexes of Composites in the order of (first, second).")
    out += emit("ClassStarts", "uint", [first for first, _, _ in class_runs],
                "First code points of the ranges whose canonical combining class is not 0.")
    out += emit("ClassValues", "uint", [last << 8 | value for _, last, value in class_runs],
                "Last code point of each such range, times 256, plus the class.")
    out += emit("MarkStarts", "uint", [first for first, _, _ in mark_runs],
                "First code points of the ranges of general category M.")
    out += emit("MarkEnds", "uint", [last for _, last, _ in mark_runs], "Last code points of those ranges.")
    out[-1] = "}"
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
