"""Times and shares as text: the one place that turns 12,500 us into ``12.5 ms`` and 5,000 ppm into ``0.5 %``.

Times are whole microseconds, shares parts per million. Text is cut off, never rounded up: what lies below a threshold
never reads like the threshold. What is more than nothing never reads like nothing: it gets the unit or the digit it
needs, or a ``<``.

    stamp      a moment of a run              01:02.345
    span       a measured time                850 us, 4.1 ms, 243 ms, 1.24 s, 140 s
    exact      a time that somebody chose     12.5 ms, 1.25 s, 30 s
    between    two of them                    15 ms to 25 ms
    percent    a share                        87 %, 4.1 %, 0.5 %, <0.1 %, 0 %
    tenths     a share, to the tenth          66.6 %, 50 %
    share      a part of a whole              87 %
    per_s      a rate                         6.7/s, 40/s
"""

from typing import Final

US_PER_MS: Final = 1_000
US_PER_S: Final = 1_000_000
PPM: Final = 1_000_000
"""Parts per million: the whole."""
PPM_PER_PERCENT: Final = 10_000


def stamp(at_us: int) -> str:
    """A moment of a run as ``mm:ss.mmm``."""
    minutes, rest = divmod(at_us // US_PER_MS, 60_000)
    return f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def span(us: int) -> str:
    """A measured time, in about three digits: ``850 us``, ``4.1 ms``, ``243 ms``, ``1.24 s``, ``140 s``."""
    if us < 0:
        return f"-{span(-us)}"
    if us == 0:
        return "0 ms"
    if us < US_PER_MS:
        return f"{us} us"
    if us < 10 * US_PER_MS:
        return f"{_cut(us, US_PER_MS, 1)} ms"
    if us < US_PER_S:
        return f"{us // US_PER_MS} ms"
    if us < 100 * US_PER_S:
        return f"{us // US_PER_S}.{us // 10_000 % 100:02d} s"
    return f"{us // US_PER_S:,} s"


def exact(us: int) -> str:
    """A time that somebody chose, in as many digits as it has: ``12.5 ms``, ``1.25 s``, ``30 s``."""
    if us < 0:
        return f"-{exact(-us)}"
    if us == 0:
        return "0 ms"
    for unit, size in (("s", US_PER_S), ("ms", US_PER_MS)):
        if us >= size and us * 1_000 % size == 0:
            return f"{_cut(us, size, 3)} {unit}"
    return f"{us} us"


def between(low_us: int, high_us: int) -> str:
    """From one chosen time to another: ``15 ms to 25 ms``; one of them where both read alike."""
    low, high = exact(low_us), exact(high_us)
    return low if low == high else f"{low} to {high}"


def percent(ppm: int) -> str:
    """A share in whole percent, with a tenth below ten: ``87 %``, ``4.1 %``, ``0.5 %``, ``<0.1 %``."""
    if ppm < 0:
        return f"-{percent(-ppm)}"
    if ppm >= 10 * PPM_PER_PERCENT:
        return f"{ppm // PPM_PER_PERCENT:,} %"
    return tenths(ppm)


def tenths(ppm: int) -> str:
    """A share to the tenth of a percent: ``66.6 %``, ``50 %``, ``<0.1 %``."""
    if ppm < 0:
        return f"-{tenths(-ppm)}"
    if 0 < ppm < PPM_PER_PERCENT // 10:
        return "<0.1 %"
    return f"{_cut(ppm, PPM_PER_PERCENT, 1)} %"


def share(part: int, whole: int) -> str:
    """A part of a whole as ``percent``; nothing of nothing is ``0 %``."""
    return percent(part * PPM // whole) if whole > 0 else "0 %"


def per_s(per_ks: int) -> str:
    """A rate, given per 1,000 s: ``6.7/s`` where it is low, else ``40/s``."""
    if 0 < per_ks < 100:
        return "<0.1/s"
    return f"{_cut(per_ks, 1_000, 1)}/s" if per_ks < 10_000 else f"{per_ks // 1_000:,}/s"


def _cut(value: int, unit: int, digits: int) -> str:
    """A value in a unit, cut off after so many digits and without zeros at the end."""
    whole, rest = divmod(value, unit)
    fraction = f"{rest * 10**digits // unit:0{digits}d}".rstrip("0")
    return f"{whole:,}.{fraction}" if fraction else f"{whole:,}"
