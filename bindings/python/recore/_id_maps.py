from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np
from numpy.typing import NDArray

from . import _recore
from ._columns import Numbers, column
from ._handle import Handle
from ._ids import Ids, as_ids, from_raw, id_form


class IdMaps(Handle["_recore.ModelHandle"]):
    """Maps between the ids of a model's users and items and their rows; base class of Model."""

    def __init__(self, raw: _recore.ModelHandle, ids: str = "str") -> None:
        super().__init__(raw, _recore.rec_model_destroy)
        self.ids = ids

    @property
    def ids(self) -> str:
        return self._ids

    @ids.setter
    def ids(self, form: str) -> None:
        self._ids = id_form(form)
        self._as_text = form == "str"

    @property
    def n_users(self) -> int:
        return _recore.rec_model_counts(self._handle)[0]

    @property
    def n_items(self) -> int:
        return _recore.rec_model_counts(self._handle)[1]

    def item_ids(self, rows: Optional[Numbers] = None) -> NDArray[Any]:
        """Ids of item rows [n], by default of all: int64, or an object array of str or bytes."""
        return self._ids_of(_recore.rec_model_item_ids, np.arange(self.n_items) if rows is None else rows)

    def user_ids(self, rows: Optional[Numbers] = None) -> NDArray[Any]:
        """Ids of user rows [n], by default of all."""
        return self._ids_of(_recore.rec_model_user_ids, np.arange(self.n_users) if rows is None else rows)

    def item_rows(self, items: Ids) -> NDArray[np.int64]:
        """Rows [n] int64 of items, -1 for an unknown one."""
        return self._rows_of(_recore.rec_model_item_rows, as_ids(items, "items"))

    def user_rows(self, users: Ids) -> NDArray[np.int64]:
        """Rows [n] int64 of users, -1 for an unknown one."""
        return self._rows_of(_recore.rec_model_user_rows, as_ids(users, "users"))

    def titles(self, items: Ids) -> NDArray[Any]:
        """Titles [n] of items, "" for an item that is unknown or has no title."""
        return from_raw(_recore.rec_model_item_titles(self._handle, self.item_rows(items), True))

    def _rows_of(self, function: Callable[..., None], ids: Any) -> NDArray[np.int64]:
        rows = np.empty(len(ids), np.int64)
        function(self._handle, ids, rows)
        return rows

    def _ids_of(self, function: Callable[..., Any], rows: Any) -> NDArray[Any]:
        return from_raw(function(self._handle, column(rows, np.int64, "rows"), self._as_text))
