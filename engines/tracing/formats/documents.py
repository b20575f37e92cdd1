"""The JSON documents of a file, whatever their format: their keys tell, and all of them must be of one."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from engines.tracing.formats import jaeger, otlp_json, zipkin
from engines.tracing.formats.detect import ACCEPTED, DECISIVE, OTHER_SIGNALS, WRAPPERS, Format, hint
from engines.tracing.formats.notices import Notices, documents_with
from engines.tracing.formats.scan import BadInput, Json
from engines.tracing.spans import Span


class Documents:
    """The JSON documents of a file, all of one format."""

    def __init__(self, doc: Json, notices: Notices, skip_bad: bool) -> None:
        self.doc = doc
        self.notices = notices
        self.skip_bad = skip_bad
        self.form: Format | None = None
        self.otlp = otlp_json.OtlpReader(notices, skip_bad)
        self.jaeger = jaeger.JaegerReader(notices, skip_bad)
        self.zipkin = zipkin.ZipkinReader(notices, skip_bad)

    def spans(self) -> Iterator[Span]:
        """Of one document after the other."""
        doc = self.doc
        while doc.peek():
            try:
                yield from self._document(depth=0)
            except BadInput as error:
                if not self.skip_bad:
                    raise
                self.notices.skip(str(error))
                if not doc.next_document():
                    return

    def _document(self, depth: int) -> Iterator[Span]:
        """An object, or a list of them: Zipkin's spans, its traces of spans, or documents of another format."""
        doc = self.doc
        first = doc.peek()
        if first == "[" and depth < 2:
            for _ in doc.items():
                yield from self._document(depth + 1)
        elif first != "{":
            value = doc.value()
            raise doc.bad_value(f"{str(value)[:40]!r} is no trace data: {ACCEPTED}")
        elif self.form is Format.ZIPKIN:
            yield from self._zipkin(doc.value())
        else:
            yield from self._object()

    def _object(self, wrapped: bool = False) -> Iterator[Span]:
        """Its first decisive key tells the format; what stands ahead of that is kept."""
        doc = self.doc
        members = doc.members()
        seen: dict[str, Any] = {}
        found = False
        for key in members:
            form = DECISIVE.get(key)
            if form is not None:
                self._agree(form)
                found = True
            if form is Format.OTLP_JSON:
                yield from self.otlp.resource_spans(doc)
            elif key == "data":
                yield from self.jaeger.traces(doc)
            elif key in WRAPPERS and not wrapped and doc.peek() == "{":
                yield from self._object(wrapped=True)
                found = True
            elif form is Format.JAEGER:
                yield from self.jaeger.trace(doc, chain([key], members), seen)
            elif form is Format.ZIPKIN:
                for each in chain([key], members):
                    seen[each] = doc.value()
                yield from self._zipkin(seen)
            elif key in OTHER_SIGNALS:
                self.notices.note(documents_with(key), doc.place)
                found = True
                doc.skip()
            elif found:
                doc.skip()
            else:
                seen[key] = doc.value()
        if not found:
            raise doc.bad(hint(list(seen)))

    def _zipkin(self, value: dict[str, Any]) -> Iterator[Span]:
        for key in ("resourceSpans", "data", "traceID", "processes"):
            if key in value:
                self._agree(DECISIVE[key])
        if "binaryAnnotations" in value:
            raise self.doc.bad_value("this is Zipkin v1; v2 is accepted", "binaryAnnotations")
        yield from self.zipkin.take(self.doc, value)

    def _agree(self, form: Format) -> None:
        """One format a file."""
        if self.form is not None and form is not self.form:
            raise self.doc.bad(f"{form.label} after {self.form.label}: one format a file is accepted")
        self.form = form


__all__ = ["Documents"]
