"""The application's own tables, beside those of the store."""
import sys
from pathlib import Path

from sqlalchemy import Column, ForeignKey, Integer, Text
from sqlalchemy.dialects.postgresql import UUID

sys.path.insert(0, str(Path(__file__).parent.parent / "python"))
from models import Base  # the models of the store: a foreign key may refer to them


class Comment(Base):
    __tablename__ = "comments"
    id = Column(Integer, primary_key=True)
    notebook_id = Column(UUID(as_uuid=True), ForeignKey("notebooks.id", ondelete="CASCADE"), nullable=False)
    body = Column(Text, nullable=False)
