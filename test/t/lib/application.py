"""The application's own statements, as its repositories send them by SQLAlchemy: application.py URL ROUND.

A round works in a notebook of its own and prints what the application sees. It leaves a notebook with live and deleted
sources.
"""
import hashlib
import sys
import uuid
from datetime import datetime, timedelta

from sqlalchemy import JSON, BigInteger, Column, DateTime, ForeignKey, Integer, String, Text, create_engine, desc
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Notebook(Base):
    __tablename__ = "notebooks"
    id = Column(UUID(as_uuid=True), primary_key=True, default=uuid.uuid4)
    name = Column(String(255), nullable=False, unique=True)
    description = Column(Text)
    tags = Column(ARRAY(String), nullable=False, default=list)
    created_at = Column(DateTime, nullable=False, default=datetime.utcnow)
    updated_at = Column(DateTime, nullable=False, default=datetime.utcnow)
    source_count = Column(Integer, nullable=False, default=0)
    output_count = Column(Integer, nullable=False, default=0)


class Source(Base):
    __tablename__ = "sources"
    id = Column(UUID(as_uuid=True), primary_key=True, default=uuid.uuid4)
    notebook_id = Column(UUID(as_uuid=True), ForeignKey("notebooks.id", ondelete="CASCADE"), nullable=False)
    name = Column(String(500), nullable=False)
    source_type = Column(String(20), nullable=False)
    file_type = Column(String(20))
    url = Column(Text)
    file_path = Column(Text)
    file_size = Column(BigInteger)
    content_hash = Column(String(64), nullable=False)
    extracted_text = Column(Text, nullable=False, default="")
    source_metadata = Column(JSON, nullable=False, default=dict)
    created_at = Column(DateTime, nullable=False, default=datetime.utcnow)
    updated_at = Column(DateTime, nullable=False, default=datetime.utcnow)
    deleted_at = Column(DateTime)


def import_source(session, notebook_id, name, text, **values):
    notebook = session.query(Notebook).filter(Notebook.id == notebook_id).one()
    content_hash = hashlib.sha256(text.encode()).hexdigest()
    found = session.query(Source).filter(
        Source.notebook_id == notebook_id, Source.content_hash == content_hash, Source.deleted_at.is_(None)).first()
    if found:
        return print("refused", name, "has the content of", found.name)
    source = Source(
        id=uuid.uuid4(), notebook_id=notebook_id, name=name, content_hash=content_hash, extracted_text=text, **values)
    assert session.query(Source).filter(Source.id == source.id).first() is None
    session.add(source)
    session.commit()
    session.refresh(source)
    assert source.content_hash == content_hash and source.extracted_text == text
    set_count(session, notebook, +1)


def set_count(session, notebook, change):
    """Read, then write: what races, and what the store does not believe."""
    session.refresh(notebook)
    notebook.source_count += change
    notebook.updated_at = datetime.utcnow()
    for column in ("name", "description", "tags", "output_count"):  # it writes them all
        setattr(notebook, column, getattr(notebook, column))
    session.commit()
    session.refresh(notebook)
    print("count", notebook.source_count)


def main(url, number):
    with Session(create_engine(url)) as session:
        start = datetime.utcnow()
        notebook = Notebook(
            id=uuid.uuid4(), name=f"Forschung {number} – 研究", tags=["größe", "x"], description="ä" * 2000)
        other = Notebook(id=uuid.uuid4(), name=f"leer {number}", tags=["y"])
        session.add_all([notebook, other])
        session.commit()
        import_source(session, notebook.id, "a.pdf", "Text der Datei", source_type="file", file_type="pdf",
                      file_path="/a.pdf", file_size=7)
        import_source(session, notebook.id, "Seite", "Text der Seite 🙂", source_type="url",
                      url="https://example.org/")
        import_source(session, notebook.id, "again", "Text der Seite 🙂", source_type="url",
                      url="https://example.org/2")
        import_source(session, notebook.id, "Notiz", "x" * 1_000_000, source_type="text",
                      source_metadata={"ä": [1, None]})
        import_source(session, other.id, "Notiz", "x" * 1_000_000, source_type="text")
        page = session.query(Source).filter(Source.name == "Seite", Source.notebook_id == notebook.id).one()
        page.deleted_at = page.updated_at = datetime.utcnow()
        session.commit()
        set_count(session, notebook, -1)
        import_source(session, notebook.id, "Seite wieder", "Text der Seite 🙂", source_type="url",
                      url="https://example.org/")
        note = session.query(Source).filter(Source.name == "Notiz", Source.notebook_id == notebook.id).one()
        note.name, note.updated_at = "Notiz 2", datetime.utcnow()
        session.commit()
        session.delete(session.query(Source).filter(Source.name == "a.pdf", Source.notebook_id == notebook.id).one())
        session.commit()
        set_count(session, notebook, -1)

        mine = session.query(Source).filter(Source.notebook_id == notebook.id)
        live = mine.filter(Source.deleted_at.is_(None))
        print("live", [s.name for s in live.order_by(Source.name)], "all", mine.count())
        pages = live.filter(Source.source_type == "url").order_by(desc(Source.created_at)).limit(5).offset(0)
        print("pages", [s.name for s in pages])
        print("files", live.filter(Source.file_type == "pdf").count())
        mine_too = Notebook.name.in_([notebook.name, other.name])
        tagged = session.query(Notebook).filter(mine_too, Notebook.tags.overlap(["y", "z"]))
        print("tagged", [n.name for n in tagged.order_by(Notebook.name)])
        by_count = session.query(Notebook).filter(mine_too).order_by(desc(Notebook.source_count))
        print("by count", [n.source_count for n in by_count])
        recent = session.query(Notebook).filter(mine_too, Notebook.created_at >= start - timedelta(seconds=1))
        print("recent", recent.count())
        print("named", session.query(Notebook).filter(Notebook.name.ilike(f"FORSCHUNG {number} %")).count())
        session.delete(other)
        session.commit()
        print("cascaded", session.query(Source).filter(Source.notebook_id == other.id).count())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
