package recore

import (
	"iter"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"recore/internal/crec"
)

// ID is the id of a user or an item: an int64 or a string of any bytes, possibly empty. It is a value, usable with == and
// as the key of a map. The zero ID means no id.
type ID struct {
	text   string
	number int64
	kind   int
}

// Key is a type that an ID can be made from.
type Key interface {
	~string | ~[]byte | ~int64 | ~int | ID
}

// IDOf is the ID of a string, bytes or an integer.
func IDOf[K Key](key K) ID {
	if id, ok := any(key).(ID); ok {
		return id
	}
	v := reflect.ValueOf(key)
	switch v.Kind() {
	case reflect.String:
		return ID{text: v.String(), kind: crec.REC_ID_BYTES}
	case reflect.Slice:
		return ID{text: string(v.Bytes()), kind: crec.REC_ID_BYTES}
	}
	return ID{number: v.Int(), kind: crec.REC_ID_INT64}
}

// IsNone reports whether this is the zero ID, which pads short rows.
func (id ID) IsNone() bool { return id.kind == 0 }

// IsInt64 reports whether the ID is an integer, not bytes.
func (id ID) IsInt64() bool { return id.kind == crec.REC_ID_INT64 }

// Int64 is the integer; 0 for bytes.
func (id ID) Int64() int64 { return id.number }

// String is the bytes unchanged, or the integer in decimal.
func (id ID) String() string {
	if id.IsInt64() {
		return strconv.FormatInt(id.number, 10)
	}
	return id.text
}

// IDs is a list of ids, all integers or all bytes, in flat memory. The zero value means that no list is given.
type IDs struct{ raw crec.IDs }

// IDsOf makes a list. Bytes are copied; a slice of int64, IDsOf(ids...), is used without a copy.
func IDsOf[K Key](keys ...K) IDs {
	ids := IDs{crec.IDs{Type: crec.REC_ID_INT64}}
	switch list := any(keys).(type) {
	case []int64:
		ids.raw.Int64 = list
	case []string: // without a conversion for each
		for _, key := range list {
			ids.Append(ID{text: key, kind: crec.REC_ID_BYTES})
		}
	default:
		for _, key := range keys {
			ids.Append(IDOf(key))
		}
	}
	return ids
}

// Append adds an id, which must be of the same kind as the first; otherwise every call with the list fails.
func (ids *IDs) Append(id ID) {
	raw := &ids.raw
	if ids.Len() == 0 && raw.Type != mixed {
		raw.Type = int(id.kind)
	}
	switch {
	case raw.Type != int(id.kind) || id.IsNone():
		raw.Type = mixed
	case id.IsInt64():
		raw.Int64 = append(raw.Int64, id.number)
	default:
		if len(raw.Offsets) == 0 {
			raw.Offsets = append(raw.Offsets, 0)
			raw.Bytes = append(raw.Bytes, 0)[:0] // not nil, even if every id is empty
		}
		raw.Bytes = append(raw.Bytes, id.text...)
		raw.Offsets = append(raw.Offsets, int64(len(raw.Bytes)))
	}
}

// Reset empties the list and keeps its memory.
func (ids *IDs) Reset() {
	raw := &ids.raw
	*raw = crec.IDs{Type: crec.REC_ID_INT64, Int64: raw.Int64[:0], Bytes: raw.Bytes[:0], Offsets: raw.Offsets[:0]}
}

// Len is the number of ids.
func (ids *IDs) Len() int { return ids.raw.Len() }

// At is id i.
func (ids *IDs) At(i int) ID {
	id := ids.view(i)
	id.text = strings.Clone(id.text)
	return id
}

// view is At without a copy, for lists that do not change.
func (ids *IDs) view(i int) ID {
	if ids.raw.Type == crec.REC_ID_BYTES {
		id := ids.raw.Bytes[ids.raw.Offsets[i]:ids.raw.Offsets[i+1]]
		return ID{text: unsafe.String(unsafe.SliceData(id), len(id)), kind: crec.REC_ID_BYTES}
	}
	return ID{number: ids.raw.Int64[i], kind: crec.REC_ID_INT64}
}

// All ranges over the ids and their indices.
func (ids *IDs) All() iter.Seq2[int, ID] {
	return func(yield func(int, ID) bool) {
		for i := range ids.Len() {
			if !yield(i, ids.At(i)) {
				return
			}
		}
	}
}

// Strings copies the ids, integers in decimal.
func (ids *IDs) Strings() []string {
	list := make([]string, ids.Len())
	for i, id := range ids.All() {
		list[i] = id.String()
	}
	return list
}

// Int64s is the integers; nil for bytes.
func (ids *IDs) Int64s() []int64 { return ids.raw.Int64 }

// mixed marks a list of both kinds, or one with a zero ID.
const mixed = -1

func (ids *IDs) check(name string) error {
	if ids.raw.Type == mixed {
		return invalid(name, "ids must be all integers or all bytes")
	}
	return nil
}

// given reports whether there is a list, even an empty one.
func (ids *IDs) given() bool { return ids.raw.Type != 0 }

// Lists are n lists of ids in one: list i is ids Offsets[i] up to Offsets[i+1].
type Lists struct {
	IDs     IDs
	Offsets []int64 // [n + 1]
}

// ListsOf joins lists.
func ListsOf(lists ...IDs) Lists {
	joined := Lists{IDs{crec.IDs{Type: crec.REC_ID_INT64}}, make([]int64, 1, len(lists)+1)}
	for _, list := range lists {
		for i := range list.Len() {
			joined.IDs.Append(list.view(i))
		}
		if list.raw.Type == mixed {
			joined.IDs.raw.Type = mixed
		}
		joined.Offsets = append(joined.Offsets, int64(joined.IDs.Len()))
	}
	return joined
}

// Len is the number of lists.
func (lists *Lists) Len() int { return max(len(lists.Offsets)-1, 0) }

func (lists *Lists) check(name string, n int) error {
	if lists.Offsets == nil && !lists.IDs.given() {
		return nil
	}
	if err := lists.IDs.check(name); err != nil {
		return err
	}
	if lists.Len() != n || len(lists.Offsets) == 0 {
		return invalid(name, "must be as many lists as users, %d, got %d", n, lists.Len())
	}
	if end := lists.Offsets[n]; lists.Offsets[0] != 0 || end != int64(lists.IDs.Len()) {
		return invalid(name, "offsets must begin with 0 and end with the number of ids, %d, got %d", lists.IDs.Len(), end)
	}
	return nil
}
