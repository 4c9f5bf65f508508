"""The file that says who may send, and where reports go."""

import pytest

from service.dimse.peers import load

TARGET = '[target]\nae_title = "ARCHIVE"\nhost = "pacs.example"\nport = 104\n'


@pytest.fixture
def read(tmp_path):
    def written(text):
        path = tmp_path / "peers.toml"
        path.write_text(text)
        return load(path)

    return written


def test_who_may_send_from_where(read):
    peers = read(
        '[senders."CT ROOM 1"]\nhosts = ["192.0.2.10", "198.51.100.0/24", "2001:db8::/32"]\n'
        + TARGET
    )
    for host, may in (
        ("192.0.2.10", True),
        ("192.0.2.11", False),
        ("198.51.100.77", True),
        ("::ffff:192.0.2.10", True),
        ("2001:db8::1", True),
        ("2001:db9::1%eth0", False),
    ):
        assert peers.may_send("CT ROOM 1", host) is may
        assert peers.may_connect(host) is may
        assert not peers.may_send("CT ROOM 2", host)
    anyone = read("[senders.A]\n[senders.B]\nhosts = ['192.0.2.1']\n" + TARGET)
    assert anyone.may_connect("203.0.113.5")
    assert anyone.may_send("A", "203.0.113.5")
    assert not anyone.may_send("B", "203.0.113.5")


def test_what_is_set_for_a_sender(read):
    peers = read("[senders.A]\nselect = 'Tumor'\nquiet_s = 60\n[senders.B]\n" + TARGET)
    assert (peers.of("A").select, peers.of("A").quiet_s) == ("Tumor", 60)
    assert (peers.of("B").select, peers.of("B").quiet_s) == (None, None)
    assert peers.of("a sender of last year").select is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (TARGET, "senders"),
        ("[senders]\n" + TARGET, "senders"),
        ("[senders.A]\n", "target"),
        ("[senders.A]\n[target]\n", "'pacs'"),
        ("[senders.A]\n" + TARGET + "pacs = 'archive'\n", "'pacs'"),
        ("[senders.A]\n" + TARGET.replace("port = 104", ""), "'pacs'"),
        ("[senders.A]\n" + TARGET.replace("104", "0"), "target.port"),
        ("[senders.A]\n" + TARGET + "ca_bundle = '/nowhere'\n", "tls = true"),
        ("[senders.A]\n" + TARGET + "tls = true\nca_bundle = '/nowhere'\n", "certificates"),
        ("[senders.A]\n" + TARGET + "url = 'http://x'\n", "target.url"),
        ('[senders."A\\\\B"]\n' + TARGET, "senders"),
        ('[senders."SEVENTEEN LETTERS"]\n' + TARGET, "senders"),
        ('[senders." A"]\n' + TARGET, "senders"),
        ("[senders.A]\nselect = ' '\n" + TARGET, "senders.A.select"),
        ("[senders.A]\nquiet_s = 0\n" + TARGET, "senders.A.quiet_s"),
        ("[senders.A]\nhosts = ['ct.example']\n" + TARGET, "senders.A.hosts"),
        ("[senders.A]\nhosts = ['192.0.2.1/24']\n" + TARGET, "senders.A.hosts"),
        ("[senders.A\n", "cannot be read"),
    ],
)
def test_what_cannot_be_meant(read, text, word):
    with pytest.raises(ValueError, match=r"peers\.toml: ") as refused:
        read(text)
    assert word in str(refused.value)


def test_no_file(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_tls(read):
    target = read("[senders.A]\n" + TARGET + "tls = true\n").target
    assert target.context().check_hostname
    assert read("[senders.A]\n" + TARGET).target.context() is None
