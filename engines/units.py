"""Times and shares as text: the one place that turns 12,500 us into ``12.5 ms`` and 5,000 ppm into ``0.5 %``.

Times are whole microseconds, shares parts per million. Text is cut off, never rounded up: what lies below a threshold
never reads like the threshold. Only `fixed` and `rounded` go to the nearest, for columns and for
what people know as a sixth. What is more than nothing never reads like nothing: it gets the unit or the digit it
needs, or a ``<``.

    stamp      a moment of a run              01:02.345, 2:01:02.345, 12d 02:01:02
    when       when something was             at t 01:02.345
    span       a measured time                850 us, 4.1 ms, 243 ms, 1.24 s, 140 s
    exact      a time that somebody chose     12.5 ms, 1.25 s, 30 s
    fixed      a measured time in a column    850 us, 4.0 ms, 243 ms, 1.20 s, 75.00 s
    seconds    a time that is counted down    243 ms, 1.2 s, 18.0 s, 140 s
    between    two of them                    15 ms to 25 ms
    percent    a share                        87 %, 4.1 %, 0.5 %, <0.1 %, 0 %
    tenths     a share, to the tenth          66.6 %, 50 %
    rounded    a share beside its formula     16.7 %, 50.0 %, <.1 %, 0
    share      a part of a whole              87 %
    per_s      a rate                         6.7/s, 40/s
"""

from typing import Final

US_PER_MS: Final = 1_000
US_PER_S: Final = 1_000_000
US_PER_HOUR: Final = 3_600 * US_PER_S
PPM: Final = 1_000_000
"""Parts per million: the whole."""
PPM_PER_PERCENT: Final = 10_000


def stamp(at_us: int) -> str:
    """A moment of a run as ``mm:ss.mmm``; of a long one as ``h:mm:ss.mmm``, or with days, ``12d hh:mm:ss``."""
    minutes, rest = divmod(at_us // US_PER_MS, 60_000)
    seconds = f"{minutes % 60:02d}:{rest // 1000:02d}"
    if at_us < US_PER_HOUR:
        return f"{seconds}.{rest % 1000:03d}"
    days, hours = divmod(minutes // 60, 24)
    return f"{days:,}d {hours:02d}:{seconds}" if days else f"{hours}:{seconds}.{rest % 1000:03d}"


def when(at_us: int | None, before: str = "") -> str:
    """When something was: ``at t 01:02.345``, behind ``before``; nothing where nobody knows."""
    return "" if at_us is None else f"{before}at t {stamp(at_us)}"


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


def fixed(us: int) -> str:
    """A measured time to the nearest, with as many decimals as its unit has: ``4.0 ms``, ``33 ms``, ``1.31 s``."""
    if us < 0:
        return f"-{fixed(-us)}"
    if us < US_PER_MS:
        return f"{us} us"
    if us < 9_950:
        return f"{us / US_PER_MS:.1f} ms"
    if us < 999_500:
        return f"{(us + 500) // US_PER_MS} ms"
    if us < 99_995_000:
        return f"{us / US_PER_S:.2f} s"
    return f"{(us + US_PER_S // 2) // US_PER_S:,} s"


def seconds(us: int) -> str:
    """A time that runs while somebody looks, in few characters that keep their places: ``240 ms``, ``1.2 s``."""
    if us < US_PER_S:
        return f"{max(0, us) // US_PER_MS} ms"
    return f"{us // US_PER_S:,} s" if us >= 100 * US_PER_S else f"{us / US_PER_S:.1f} s"


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


def rounded(ppm: int) -> str:
    """A share to the nearest tenth, as people know a sixth: ``16.7 %``; all is ``100 %``, nothing ``0``."""
    if ppm <= 0:
        return "0"
    if ppm >= PPM:
        return f"{ppm // PPM_PER_PERCENT} %"
    return f"{ppm / PPM_PER_PERCENT:.1f} %" if ppm >= 500 else "<.1 %"


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
