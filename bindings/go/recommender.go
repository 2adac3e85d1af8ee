package recore

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"recore/internal/crec"
)

// Recommender is a model prepared to answer requests. Any number of goroutines may ask at once.
type Recommender struct {
	h       handle[crec.Recommender]
	catalog *catalog
	nItems  int
}

// RecommenderOption says how a recommender answers.
type RecommenderOption struct {
	apply func(crec.RecRecommenderOptionsT)
}

// ExcludeSeen leaves out what the user had in training; ErrUnsupported for a model saved without user data.
func ExcludeSeen() RecommenderOption {
	return RecommenderOption{func(o crec.RecRecommenderOptionsT) { o.SetExcludeSeen(1) }}
}

// Strict makes a user who cannot be answered, or an unknown item or user of Similar, an ErrNotFound; otherwise its row is
// empty. Unknown items of histories and candidates are left out in either case.
func Strict() RecommenderOption {
	return RecommenderOption{func(o crec.RecRecommenderOptionsT) { o.SetStrict(1) }}
}

// MaxK is the largest K of a request; 0 = 1000.
func MaxK(k int) RecommenderOption {
	return RecommenderOption{func(o crec.RecRecommenderOptionsT) { o.SetMaxK(int64(k)) }}
}

// NCallers is how many goroutines may ask at once without waiting; 0 = 64.
func NCallers(n int) RecommenderOption {
	return RecommenderOption{func(o crec.RecRecommenderOptionsT) { o.SetNCallers(n) }}
}

// Recommender prepares the model to answer requests; the model may then be closed. Item ids are copied once per model.
func (m *Model) Recommender(options ...RecommenderOption) (*Recommender, error) {
	ids, err := m.catalog()
	if err != nil {
		return nil, err
	}
	o := crec.NewRecRecommenderOptionsT()
	defer crec.DeleteRecRecommenderOptionsT(o)
	for _, option := range options {
		option.apply(o)
	}
	var raw crec.Recommender
	if err := m.h.call(func(h crec.Model) error { return crec.RecRecommenderCreate(h, o, &raw) }); err != nil {
		return nil, err
	}
	r := &Recommender{catalog: ids, nItems: ids.ids.Len()}
	r.h.open("Recommender", raw, crec.RecRecommenderDestroy)
	return r, nil
}

// Close ends the recommender; calls in flight finish first. It never fails.
func (r *Recommender) Close() error {
	if r == nil {
		return nil
	}
	return r.h.close()
}

// String is the model's name and the counts, for logs; for a closed recommender, the error.
func (r *Recommender) String() string {
	if err := r.h.call(func(crec.Recommender) error { return nil }); err != nil {
		return err.Error()
	}
	return "Recommender of " + r.catalog.name
}

// NItems is the number of items.
func (r *Recommender) NItems() int { return r.nItems }

// ItemID is the id of an item row without a copy, the zero ID for -1.
func (r *Recommender) ItemID(row int64) ID { return r.catalog.at(row) }

// Item is an item, or a user of SimilarUsers, and its score, comparable within one answer only.
type Item struct {
	ID    ID
	Score float32
}

// Query says who asks, and for what. There is one answer row for each user. It is only read, so calls may share one.
type Query struct {
	Users          IDs   // not given when Histories alone say who asks
	K              int   // items wanted, 1 .. MaxK; ignored by Score
	Histories      Lists // items of each user; unless empty, they replace what the model file knows
	HistoryTimes   []int64
	RequestTimes   []int64 // times of the requests; both in UTC epoch seconds, for models that use times
	Candidates     IDs     // rank or score only these, for every user
	CandidateLists Lists   // the same, a list for each user
	Allow, Deny    Bits    // items that alone may be returned; items that may not; ignored by Score

	// The same for each user, in place of Allow and Deny; see Model.BitsOf. Each user then takes a call of the library.
	AllowEach, DenyEach []Bits
}

var nobody atomic.Pointer[[]int64]

// unknownUsers is n rows for users known only by a history; shared, because it is only read.
func unknownUsers(n int) []int64 {
	if rows := nobody.Load(); rows != nil && len(*rows) >= n {
		return (*rows)[:n]
	}
	rows := make([]int64, max(n, 256))
	for i := range rows {
		rows[i] = -1
	}
	nobody.Store(&rows)
	return rows[:n]
}

// isPlain reports whether a query gives users only.
func (q *Query) isPlain() bool {
	return q.Users.given() && q.Histories.Offsets == nil && !q.Histories.IDs.given() && q.HistoryTimes == nil &&
		q.RequestTimes == nil && !q.Candidates.given() && q.CandidateLists.Offsets == nil && !q.CandidateLists.IDs.given() &&
		q.Allow == nil && q.Deny == nil && q.AllowEach == nil && q.DenyEach == nil
}

// request is the query as the raw layer takes it; n is the number of users.
func (q *Query) request() (request crec.Request, n int, err error) {
	users := q.Users.raw
	if !q.Users.given() {
		if q.Histories.Offsets == nil {
			return request, 0, invalid("users", "must be given, unless histories are")
		}
		users = crec.IDs{Type: crec.REC_ID_ROW, Int64: unknownUsers(q.Histories.Len())}
	}
	n = users.Len()
	if err = q.Users.check("users"); err != nil {
		return
	}
	if err = q.Histories.check("histories", n); err != nil {
		return
	}
	if err = q.CandidateLists.check("candidates", n); err != nil {
		return
	}
	if err = q.Candidates.check("candidates"); err != nil {
		return
	}
	request = crec.Request{
		K: q.K, Users: users, History: q.Histories.IDs.raw, HistoryLists: q.Histories.Offsets,
		HistoryTimes: q.HistoryTimes, Times: q.RequestTimes, Candidates: q.Candidates.raw, Allow: q.Allow, Deny: q.Deny,
	}
	if q.CandidateLists.Offsets != nil {
		request.Candidates, request.CandidateLists = q.CandidateLists.IDs.raw, q.CandidateLists.Offsets
	}
	return request, n, nil
}

// codes is status in the raw layer's type.
func codes(status []Code) []int32 {
	return unsafe.Slice((*int32)(unsafe.SliceData(status)), len(status))
}

func tooShort(name string, want, got int) error {
	return invalid(name, "must have room for %d, got %d", want, got)
}

// TopKInto fills rows and scores, [n users, K] both, best first, with item rows of the model; a short row is padded with
// -1 and -Inf. status, which may be nil, has n codes: CodeNotFound for an unknown user without a history. It allocates
// nothing unless it fails. Fails with ErrInvalidArgument (K < 1, K > MaxK, a slice that is too short).
func (r *Recommender) TopKInto(q *Query, rows []int64, scores []float32, status []Code) error {
	if !q.isPlain() {
		return r.topK(q, rows, scores, status)
	}
	if err := q.Users.check("users"); err != nil {
		return err
	}
	return r.h.call(func(h crec.Recommender) error {
		return crec.Recommend(h, q.K, &q.Users.raw, rows, scores, codes(status))
	})
}

func (r *Recommender) topK(q *Query, rows []int64, scores []float32, status []Code) error {
	request, n, err := q.request()
	if err != nil {
		return err
	}
	if q.AllowEach != nil || q.DenyEach != nil {
		return r.topKOfEach(q, request, n, rows, scores, status)
	}
	return r.h.call(func(h crec.Recommender) error { return crec.TopK(h, &request, rows, scores, codes(status)) })
}

// topKOfEach asks for one user after another, since the library filters all users of a request alike.
func (r *Recommender) topKOfEach(q *Query, request crec.Request, n int, rows []int64, scores []float32, status []Code) error {
	for _, given := range []struct {
		name string
		bits []Bits
	}{{"allow", q.AllowEach}, {"deny", q.DenyEach}} {
		if given.bits != nil && len(given.bits) != n {
			return invalid(given.name, "must be as many bits as users, %d, got %d", n, len(given.bits))
		}
	}
	k := max(request.K, 0)
	if len(rows) < n*k {
		return tooShort("rows", n*k, len(rows))
	}
	if scores != nil && len(scores) < n*k {
		return tooShort("scores", n*k, len(scores))
	}
	if status != nil && len(status) < n {
		return tooShort("status", n, len(status))
	}
	for i := range n {
		one := requestOf(request, i)
		if q.AllowEach != nil {
			one.Allow = q.AllowEach[i]
		}
		if q.DenyEach != nil {
			one.Deny = q.DenyEach[i]
		}
		err := r.h.call(func(h crec.Recommender) error {
			return crec.TopK(h, &one, part(rows, i*k, k), part(scores, i*k, k), codes(part(status, i, 1)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// requestOf is the part of a request that is about user i.
func requestOf(all crec.Request, i int) crec.Request {
	one := all
	one.Users = idsFrom(all.Users, i, i+1)
	one.Times = part(all.Times, i, 1)
	if lists := all.HistoryLists; lists != nil {
		from, to := int(lists[i]), int(lists[i+1])
		one.History, one.HistoryLists = idsFrom(all.History, from, to), []int64{0, int64(to - from)}
		one.HistoryTimes = part(all.HistoryTimes, from, to-from)
	}
	if lists := all.CandidateLists; lists != nil {
		from, to := int(lists[i]), int(lists[i+1])
		one.Candidates, one.CandidateLists = idsFrom(all.Candidates, from, to), []int64{0, int64(to - from)}
	}
	return one
}

// idsFrom is ids from .. to-1 of a list.
func idsFrom(all crec.IDs, from, to int) crec.IDs {
	if all.Type != crec.REC_ID_BYTES {
		return crec.IDs{Type: all.Type, Int64: all.Int64[from:to]}
	}
	begin, offsets := all.Offsets[from], make([]int64, 0, to-from+1)
	for _, offset := range all.Offsets[from : to+1] {
		offsets = append(offsets, offset-begin)
	}
	return crec.IDs{Type: all.Type, Bytes: all.Bytes[begin:all.Offsets[to]], Offsets: offsets}
}

// part is n elements of a list; nil stays nil.
func part[T any](list []T, from, n int) []T {
	if list == nil {
		return nil
	}
	return list[from : from+n]
}

// RecommendInto is TopKInto with ids: it fills items and scores, [n users, K] both, and counts, [n users], with the number
// of items in each row; the rest is the zero ID and -Inf. It allocates nothing unless it fails.
func (r *Recommender) RecommendInto(q *Query, items []ID, scores []float32, counts []int) error {
	n := q.Users.Len()
	if !q.Users.given() {
		n = q.Histories.Len()
	}
	if q.K > 0 && len(items)/q.K < n {
		return tooShort("items", n*q.K, len(items))
	}
	if len(counts) < n {
		return tooShort("counts", n, len(counts))
	}
	return r.withRows(n*max(q.K, 0), func(rows []int64) error {
		if err := r.TopKInto(q, rows, scores, nil); err != nil {
			return err
		}
		r.name(rows, q.K, items, counts)
		return nil
	})
}

// name turns rows [n, k] into ids and counts.
func (r *Recommender) name(rows []int64, k int, items []ID, counts []int) {
	for i, row := range rows {
		items[i] = r.catalog.at(row)
		if i%k == 0 {
			counts[i/k] = 0
		}
		if row >= 0 {
			counts[i/k]++
		}
	}
}

var rowBuffers = sync.Pool{New: func() any { return new([]int64) }}

func (r *Recommender) withRows(n int, use func([]int64) error) error {
	buffer := rowBuffers.Get().(*[]int64)
	defer rowBuffers.Put(buffer)
	if cap(*buffer) < n {
		*buffer = make([]int64, n)
	}
	return use((*buffer)[:n])
}

// Recommend returns the k best items of a user, best first; fewer if there are fewer, none for an unknown user.
func (r *Recommender) Recommend(user ID, k int) ([]Item, error) {
	rows, err := r.RecommendAll(&Query{Users: IDsOf(user), K: k})
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// RecommendAll returns the K best items of each user; K above the number of items returns all of them.
func (r *Recommender) RecommendAll(q *Query) ([][]Item, error) {
	wanted := *q
	if wanted.K > r.nItems && r.nItems > 0 {
		wanted.K = r.nItems
	}
	request, n, err := wanted.request()
	if err != nil {
		return nil, err
	}
	return r.lists(n, request.K, r.itemIDs, func(rows []int64, scores []float32) error {
		return r.TopKInto(&wanted, rows, scores, nil)
	})
}

// Similar returns the k items most similar to each given one, itself left out, as Recommend does; ErrUnsupported for a
// model without item similarities.
func (r *Recommender) Similar(items IDs, k int) ([][]Item, error) {
	return r.SimilarAmong(items, k, nil, nil)
}

// SimilarAmong is Similar of the items that allow marks, all where it is nil, but for those that deny marks.
func (r *Recommender) SimilarAmong(items IDs, k int, allow, deny Bits) ([][]Item, error) {
	k = min(k, max(r.nItems, 1))
	return r.lists(items.Len(), k, r.itemIDs, func(rows []int64, scores []float32) error {
		return r.similar(false, items, k, allow, deny, rows, scores, nil)
	})
}

// SimilarUsers returns the k users most similar to each given one, itself left out, of those that allow marks, all where
// it is nil, but for those that deny marks: bits over user rows. ErrUnsupported for a model without user vectors.
func (r *Recommender) SimilarUsers(users IDs, k int, allow, deny Bits) ([][]Item, error) {
	model, err := r.model()
	if err != nil {
		return nil, err
	}
	defer model.Close()
	nUsers, _, err := model.Counts()
	if err != nil {
		return nil, err
	}
	k = min(k, max(nUsers, 1))
	userIDs := func(rows []int64) (func(int) ID, error) {
		ids, err := model.UserIDs(rows)
		return ids.view, err
	}
	return r.lists(users.Len(), k, userIDs, func(rows []int64, scores []float32) error {
		return r.similar(true, users, k, allow, deny, rows, scores, nil)
	})
}

// model is the recommender's model, which the caller closes.
func (r *Recommender) model() (*Model, error) {
	var raw crec.Model
	err := r.h.call(func(h crec.Recommender) error { return crec.RecRecommenderModel(h, &raw) })
	return newModel(raw, err)
}

// itemIDs gives the id of the item in each of these rows.
func (r *Recommender) itemIDs(rows []int64) (func(int) ID, error) {
	return func(place int) ID { return r.catalog.at(rows[place]) }, nil
}

// lists are n lists of up to k, which fill writes as rows and ids turns into ids.
func (r *Recommender) lists(n, k int, ids func([]int64) (func(int) ID, error), fill func([]int64, []float32) error) ([][]Item, error) {
	size := n * max(k, 0)
	rows, scores := make([]int64, size), make([]float32, size)
	if err := fill(rows, scores); err != nil {
		return nil, err
	}
	id, err := ids(rows)
	if err != nil {
		return nil, err
	}
	lists, items := make([][]Item, n), make([]Item, 0, size)
	for i := range lists {
		start := len(items)
		for j := i * k; j < (i+1)*k && rows[j] >= 0; j++ {
			items = append(items, Item{id(j), scores[j]})
		}
		lists[i] = items[start:len(items):len(items)]
	}
	return lists, nil
}

// SimilarInto fills rows and scores, [n items, k] both, and status, nil or [n items], as TopKInto does.
func (r *Recommender) SimilarInto(items IDs, k int, rows []int64, scores []float32, status []Code) error {
	return r.similar(false, items, k, nil, nil, rows, scores, status)
}

func (r *Recommender) similar(ofUsers bool, given IDs, k int, allow, deny Bits, rows []int64, scores []float32, status []Code) error {
	name := "items"
	if ofUsers {
		name = "users"
	}
	if err := given.check(name); err != nil {
		return err
	}
	return r.h.call(func(h crec.Recommender) error {
		return crec.Similar(h, number(ofUsers), &given.raw, k, allow, deny, rows, scores, codes(status))
	})
}

// Score returns the scores of each user's candidates, in the order given; -Inf for an unknown item or user.
func (r *Recommender) Score(q *Query) ([][]float32, error) {
	request, n, err := q.request()
	if err != nil {
		return nil, err
	}
	offset := func(i int) int { return i * request.Candidates.Len() }
	if request.CandidateLists != nil {
		offset = func(i int) int { return int(request.CandidateLists[i]) }
	}
	scores := make([]float32, offset(n))
	if err := r.ScoreInto(q, scores, nil); err != nil {
		return nil, err
	}
	lists := make([][]float32, n)
	for i := range lists {
		lists[i] = scores[offset(i):offset(i+1):offset(i+1)]
	}
	return lists, nil
}

// ScoreInto fills scores, one for each candidate of each user, and status, nil or [n users]; it allocates nothing unless
// it fails.
func (r *Recommender) ScoreInto(q *Query, scores []float32, status []Code) error {
	request, _, err := q.request()
	if err != nil {
		return err
	}
	return r.h.call(func(h crec.Recommender) error { return crec.Score(h, &request, scores, codes(status)) })
}
