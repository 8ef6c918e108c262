import json, pytest
from app import taking_away
from core.wanted import Wanted
def test_x(run, tmp_path):
    import mlcroissant as mlc
    for form in ("jsonl","parquet","csv","webdataset","imagefolder","blip","pointers"):
        out = run / f"out-{form}"
        plan = taking_away.plan(run, "pairs", out, form, Wanted(), per_shard=100, seed=0)
        taking_away.export(run, "pairs", out, form, Wanted(), plan, seed=0)
        try:
            data = mlc.Dataset(jsonld=out.path + "/croissant.json")
            print(form, "ERRORS", data.metadata.ctx.issues.errors, "WARN", data.metadata.ctx.issues.warnings)
        except Exception as e:
            print(form, "EXC", str(e)[:1500]); continue
        for name in ("rows-train",):
            try:
                recs = list(data.records(record_set=name))
                print(form, name, len(recs), {k: str(v)[:40] for k, v in recs[0].items()})
            except Exception as e:
                print(form, name, "CAUSE", repr(e.__cause__)[:500], repr(e.__context__)[:300])
