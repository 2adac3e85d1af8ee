package main

import (
	"errors"
	"strconv"
	"unicode/utf8"

	"recore"
)

// answer is the memory of one request, reused by a later one.
type answer struct {
	ids    recore.IDs
	rows   []int64
	scores []float32
	status [1]recore.Code
	body   []byte
}

// only is a list with one id.
func (a *answer) only(id recore.ID) recore.IDs {
	a.ids.Reset()
	a.ids.Append(id)
	return a.ids
}

// room has space for k rows and their scores.
func (a *answer) room(k int) ([]int64, []float32) {
	if len(a.rows) < k {
		a.rows, a.scores = make([]int64, k), make([]float32, k)
	}
	return a.rows[:k], a.scores[:k]
}

// items is {"user":"u1","generation":1,"items":[{"item":"i1","score":0.5,"title":"One"}]}; no title where there is none.
func (a *answer) items(g *generation, kind string, asked recore.ID, rows []int64, scores []float32) {
	a.add(`{"`).add(kind).add(`":`).id(asked).add(`,"generation":`)
	a.body = strconv.AppendInt(a.body, g.number, 10)
	a.add(`,"items":[`)
	for i, row := range rows {
		if row < 0 {
			break
		}
		if i > 0 {
			a.add(",")
		}
		a.add(`{"item":`).id(g.recommender.ItemID(row)).add(`,"score":`)
		a.body = strconv.AppendFloat(a.body, float64(scores[i]), 'g', -1, 32)
		if title := g.titles[row]; title != "" {
			a.add(`,"title":`).text(title)
		}
		a.add("}")
	}
	a.add("]}")
}

// fail is {"error":"k: must be ..."}.
func (a *answer) fail(err error) {
	text := err.Error()
	if failed := (*recore.Error)(nil); errors.As(err, &failed) {
		text = failed.Message
	}
	a.body = a.body[:0]
	a.add(`{"error":`).text(text).add("}")
}

func (a *answer) add(json string) *answer {
	a.body = append(a.body, json...)
	return a
}

func (a *answer) id(id recore.ID) *answer {
	switch {
	case id.IsNone():
		return a.add("null")
	case id.IsInt64():
		a.body = strconv.AppendInt(a.body, id.Int64(), 10)
		return a
	}
	return a.text(id.String())
}

// text is a JSON string; bytes that are not UTF-8 come out as U+FFFD.
func (a *answer) text(text string) *answer {
	a.add(`"`)
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			a.body = append(a.body, '\\', byte(c))
		case c < ' ':
			a.body = append(a.body, '\\', 'u', '0', '0', '0'+byte(c>>4), "0123456789abcdef"[c&15])
		default:
			a.body = utf8.AppendRune(a.body, c)
		}
	}
	return a.add(`"`)
}
