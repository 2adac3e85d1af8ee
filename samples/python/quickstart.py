"""Trains BPR-MF, saves it, loads the file again and recommends: quickstart.py DATA MODEL.rec"""

import sys

import recore


def main(data: str, path: str) -> None:
    dataset = recore.Dataset.load(data).split(ratio=(0.8, 0.1, 0.1), seed=1)

    def on_epoch(event: recore.Event) -> None:
        if event.epoch % 10 == 0:
            print(f"epoch {event.epoch:3}  loss {event.loss:.4f}  ndcg@20 {event.metrics['ndcg@20']:.4f}")

    with recore.train(dataset, "bprmf", epochs=30, batch_size=512, lr=0.005, on_epoch=on_epoch) as trained:
        print(trained.evaluate(dataset, "recall@20,ndcg@20"))
        trained.save(path)

    with recore.load(path) as model, model.recommender(exclude_seen=True) as recommender:
        user = model.user_ids()[0]
        items, scores = recommender.recommend(user, k=5)
        for item, score, title in zip(items, scores, model.titles(items)):
            print(f"{user}: item {item}  {score:.4f}  {title}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
