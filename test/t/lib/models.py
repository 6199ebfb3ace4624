"""The application's models of today, as it makes their tables by create_all(): models.py URL.

Tables that are there already stay as they are. The database gets no defaults, and the few indexes that the models name.
"""
import sys
from datetime import datetime
from uuid import uuid4

from sqlalchemy import JSON, Column, DateTime, ForeignKey, Integer, String, Text, create_engine
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from application import Base, Notebook, Source

Notebook.created_by = Column(String(255), nullable=False, index=True)
Source.created_by = Column(String(255), nullable=False, index=True)


class Output(Base):
    __tablename__ = "outputs"
    id = Column(UUID(as_uuid=True), primary_key=True, default=uuid4)
    created_by = Column(String(255), nullable=False, index=True)
    notebook_id = Column(
        UUID(as_uuid=True), ForeignKey("notebooks.id", ondelete="CASCADE"), nullable=False, index=True)
    title = Column(String(500), nullable=False)
    content = Column(Text, nullable=False, default="")
    output_type = Column(String(50), nullable=False, default="blog_post")
    status = Column(String(20), nullable=False, default="draft")
    prompt = Column(Text)
    template_name = Column(String(100))
    output_metadata = Column(JSON, nullable=False, default=dict)
    source_references = Column(ARRAY(String), nullable=False, default=list)
    word_count = Column(Integer, nullable=False, default=0)
    created_at = Column(DateTime, nullable=False, default=datetime.utcnow)
    updated_at = Column(DateTime, nullable=False, default=datetime.utcnow)
    completed_at = Column(DateTime)


Base.metadata.create_all(create_engine(sys.argv[1]))
