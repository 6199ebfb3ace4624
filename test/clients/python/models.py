"""A discovery store as SQLAlchemy models. The database fills in what the models leave out."""
from sqlalchemy import JSON, BigInteger, Column, DateTime, FetchedValue, ForeignKey, Integer, String, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Notebook(Base):
    __tablename__ = "notebooks"
    # The server's defaults: ids are ordered by time, timestamps are UTC.
    id = Column(UUID(as_uuid=True), primary_key=True, server_default=FetchedValue())
    name = Column(String(255), nullable=False, unique=True)
    description = Column(Text)
    tags = Column(ARRAY(String), nullable=False, server_default="{}")
    created_at = Column(DateTime, nullable=False, server_default=FetchedValue())
    # Triggers change these after the statement: fetched again when they are next read.
    updated_at = Column(DateTime, nullable=False, server_default=FetchedValue(), server_onupdate=FetchedValue())
    source_count = Column(Integer, nullable=False, server_default=FetchedValue(), server_onupdate=FetchedValue())
    output_count = Column(Integer, nullable=False, server_default=FetchedValue(), server_onupdate=FetchedValue())
    created_by = Column(String(255), nullable=False, server_default="system@discovery.local")

    # The foreign keys cascade in the database: passive_deletes keeps the session from loading or changing these rows.
    sources = relationship("Source", back_populates="notebook", passive_deletes="all")
    outputs = relationship("Output", back_populates="notebook", passive_deletes="all")


class Source(Base):
    __tablename__ = "sources"
    id = Column(UUID(as_uuid=True), primary_key=True, server_default=FetchedValue())
    notebook_id = Column(UUID(as_uuid=True), ForeignKey("notebooks.id", ondelete="CASCADE"), nullable=False)
    name = Column(String(500), nullable=False)
    source_type = Column(String(20), nullable=False)
    file_type = Column(String(20))
    url = Column(Text)
    file_path = Column(Text)
    file_size = Column(BigInteger)
    # A trigger fills it in for url and text sources that come without.
    content_hash = Column(String(64), nullable=False, server_default=FetchedValue(), server_onupdate=FetchedValue())
    extracted_text = Column(Text, nullable=False, server_default="")
    source_metadata = Column(JSON, nullable=False, server_default="{}")
    created_at = Column(DateTime, nullable=False, server_default=FetchedValue())
    updated_at = Column(DateTime, nullable=False, server_default=FetchedValue(), server_onupdate=FetchedValue())
    deleted_at = Column(DateTime)
    created_by = Column(String(255), nullable=False, server_default="system@discovery.local")

    notebook = relationship("Notebook", back_populates="sources")


class Output(Base):
    __tablename__ = "outputs"
    id = Column(UUID(as_uuid=True), primary_key=True, server_default=FetchedValue())
    notebook_id = Column(UUID(as_uuid=True), ForeignKey("notebooks.id", ondelete="CASCADE"), nullable=False)
    title = Column(String(500), nullable=False)
    content = Column(Text, nullable=False, server_default="")
    output_type = Column(String(50), nullable=False, server_default="blog_post")
    status = Column(String(20), nullable=False, server_default="draft")
    prompt = Column(Text)
    template_name = Column(String(100))
    output_metadata = Column(JSON, nullable=False, server_default="{}")
    source_references = Column(ARRAY(String), nullable=False, server_default="{}")
    word_count = Column(Integer, nullable=False, server_default="0")
    created_at = Column(DateTime, nullable=False, server_default=FetchedValue())
    updated_at = Column(DateTime, nullable=False, server_default=FetchedValue(), server_onupdate=FetchedValue())
    completed_at = Column(DateTime)
    created_by = Column(String(255), nullable=False, server_default="system@discovery.local")

    notebook = relationship("Notebook", back_populates="outputs")
