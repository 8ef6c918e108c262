"""What is said to typical mistakes: one line that names what is wrong and what to do, and nothing is left behind."""

import sys
from pathlib import Path

import pytest

from app.cli import main

MISTAKES = {  # what was typed -> what is said; RUN holds a model `processed` and no tables, T is the folder around it
    "trian": "No such command 'trian'. Did you mean 'train'?",
    "report --rnu RUN": "No such option: --rnu",
    "plan": "Missing option '--articles'",
    "train nothing --run RUN": "no recipe 'nothing': neither a file nor one of blip-brain",
    "train medvl-fantom --run RUN": "neither a file nor one of ours; did you mean medvl-phantom?",
    "collect protsate --run T/new": "did you mean prostate?",
    "report --run T/colected": "T/colected is no run: it has neither settings nor tables; did you mean T/collected?",
    "report T/empty": "T/empty is no run: it has neither settings nor tables. See that the name is right",
    "report RUN T/colected": "did you mean T/collected?",
    "pair --run T/new": "`figray collect` begins one",
    "pair --run RUN": "RUN has no figures yet; `figray collect` makes figures",
    "train processed --run RUN": "RUN has no pairs yet; `figray collect` makes figures, `figray pair` all that follows",
    "evaluate procesed --run RUN": "RUN has no model procesed; did you mean processed?",
    "export mlip T/out --run RUN": "RUN has no model mlip yet, but processed; `figray train mlip` makes it",
    "demo --run T/new --set optim.lrr=1": "no setting 'optim.lrr'",
    "demo --run T/new --set optim.lr": "write it as name=value, for example optim.lr=1e-4",
    "demo --run T/new --set optim.lr=fast": "optim.lr: Input should be a valid number",
    "dataset mimic --run T/new": "mimic is read from a folder: name it",
    "dataset mimc T --run T/new": "there are mimic, rsna, siim, nih, csv, phantom, pairs; did you mean mimic?",
    "dataset pairs --run T/new": "pairs are read from a table: name the file, or its folder",
    "dataset pairs T/missing.csv --run T/new": "there is no T/missing.csv",
    "export pairs RUN T/out --to webdatset": "--to webdatset: there are webdataset, parquet",
    "export pairs RUN T/out --modality Xray": "did you mean X-ray?",
    "export pairs RUN T/out": "RUN has no table pairs; `figray pair` makes it",
    "import-review RUN T/missing.json": "T/missing.json: No such file or directory",
    "import-review RUN T/photo.txt": "T/photo.txt is no file of corrections",
    "search RUN glioma --top 1000": "--top 1000: from 1 to 200",
    "compare T/photo.txt glioma --run RUN": "T/photo.txt: ",
    "compare T/missing.png glioma --run RUN": "T/missing.png: No such file or directory",
    "collect --source bucket:T/missing --run T/new": "T/missing is no folder",
    "sweep medvl-phantom --space maskng --run RUN": "did you mean masking?",
    "reproduce medvl-table9": "did you mean medvl-table1?",
    "separate T/missing T/out.json": "T/missing is no folder",
    "evaluate pairs --images T --run T/new": "a folder of images needs its truth",
    "clean T/new": "T/new is no run",
    "status": "which cluster? Say --address",
    "plan --articles 10 --cluster T/photo.txt": "T/photo.txt is no description of a cluster: it holds no",
    "plan --articles 10 --cluster T/nodes.yaml": "description of a cluster: available_node_types.a: Input should be",
    "plan --articles 10 --cluster T/head.yaml": "head_node_type h is none of a",
    "split-captions T/captions.json T/photo.txt/out.json": "cannot make the folder of T/photo.txt/out.json: a ",
    "keep-logs T/photo.txt": "T/photo.txt cannot be written to: a ",
    "evaluate pairs --captions T/missing.json --run T/new": "T/missing.json: No such file or directory",
    "export model processed T/photo.txt --run RUN": "T/photo.txt is a file; name a folder to write",
    "export model /etc T/out --run RUN": "'/etc' is no name of a model",
    "search RUN glioma --model procesed": "RUN has no model procesed; did you mean processed?",
    "fetch-pointers T/empty T/new": "T/empty holds no pointers: `figray export pairs",
    "export radiographs RUN T/out --to pointers": "--to pointers is of pairs",
    "dataset rsna T --separate --run T/new": "--separate is for pairs",
    "train processed --run RUN --set train.only.modality=[XX]": "train.only.modality",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_is_said_in_a_line_and_leaves_nothing(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "collected"
    model = run / "models" / "processed" / "checkpoint"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (run / "config.yaml").write_text("{}")
    (tmp_path / "photo.txt").write_text("no image")
    (tmp_path / "captions.json").write_text('[{"id": "a", "caption": "CT."}]')
    (tmp_path / "nodes.yaml").write_text("available_node_types: {a: 3}\nhead_node_type: a\n")
    (tmp_path / "head.yaml").write_text("available_node_types: {a: {}}\nhead_node_type: h\n")
    places = {"RUN": str(run), "T": str(tmp_path)}

    def placed(text: str) -> str:
        for name, place in places.items():
            text = text.replace(f"{name}/", f"{place}/") if "/" in text else place if text == name else text
        return text

    monkeypatch.setattr(sys, "argv", ["figray", *(placed(word) for word in typed.split())])
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    expected = " ".join(word.replace("T/", f"{tmp_path}/").replace("RUN", str(run)) for word in MISTAKES[typed].split())
    assert ended.value.code == 2
    assert expected in " ".join(said.split())
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1 or said.startswith("Usage:")
    assert not (tmp_path / "new").exists() and not (tmp_path / "out").exists()
