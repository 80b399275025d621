using System.Collections.Immutable;
using CsCheck;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>The declarative way: a file says what the store shall be.</summary>
public sealed class ApplyTests
{
    private static readonly Gen<string> Hex = Gen.Char["0123456789abcdef"].Array[64].Select(digits => new string(digits));

    private static readonly Gen<Pin> Pins = Gen.Select(Hex, Gen.Enum<PinSubject>(), Gen.Enum<PinState>(), Gen.Enum<PinStrength>(), Gen.Long[1, 1_700_000_000])
        .Select((hex, subject, state, strength, since) =>
            new Pin(Parse(hex), subject, state, strength, DateTimeOffset.FromUnixTimeSeconds(since)));

    private static readonly Gen<string?> Notes = Gen.Frequency(
        (1, Gen.Const((string?)null)),
        (3, Gen.Char[" ab,={}|#\\\"'\tü\n\u00a0\u200b\u0007\u202e\ufeff"].Array[1, 12].Select(text => (string?)new string(text))));

    private static readonly Gen<TlsPolicy> Policies = Gen.Select(
        Gen.Int[0, 5].Select(level => new[] { TlsLevel.May, TlsLevel.Encrypt, TlsLevel.Fingerprint, TlsLevel.Secure, TlsLevel.DaneOnly, TlsLevel.None }[level]),
        Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool).Select((level, ciphers, names, sni, report) => new TlsPolicy
        {
            Level = level,
            Ciphers = ciphers && level != TlsLevel.None ? "high" : null,
            Match = names && level == TlsLevel.Secure ? ["mx.example.com", ".example.net", "hostname"] : [],
            TaFiles = names && level == TlsLevel.Secure ? ["/etc/ssl/a.pem", "/etc/ssl/b.pem"] : [],
            ServerName = sni && level != TlsLevel.None ? "hostname" : null,
            TlsRpt = report && level == TlsLevel.Secure
                ? new TlsRptAttributes("sts", "example.com", ["version: STSv1", "mode: enforce"], ["*.example.com"], null)
                : null,
        });

    private static readonly Gen<Destination> Entries = Gen.Select(
        Gen.Select(Gen.Int[0, 30], Gen.Int[0, 4]), Policies, Pins.Array[0, 4], Gen.Enum<PinMode>(), Gen.Bool, Notes, Gen.Int[0, 2])
        .Select((key, policy, pins, mode, observe, note, hosts) =>
        {
            var nextHop = NextHop.Parse(key.Item2 switch
            {
                0 => $"d{key.Item1}.example", 1 => $".d{key.Item1}.example", 2 => $"[mx{key.Item1}.example]:587",
                3 => $"xn--mnchen-3ya.d{key.Item1}.example", _ => $"/run/lmtp{key.Item1}",
            });
            var all = pins.DistinctBy(pin => pin.Fingerprint).ToImmutableArray();
            if (policy.Level == TlsLevel.Fingerprint && !observe && !all.Any(pin => pin.IsServed))
                all = all.Add(new Pin(Parse(CliSession.Pin), PinSubject.Unknown, PinState.Active, PinStrength.Person, DateTimeOffset.UnixEpoch));
            return new Destination
            {
                Key = nextHop, Policy = policy, Pins = all, Mode = mode, Observe = observe, Note = note,
                ProbeAs = nextHop.IsSubdomains ? [.. new[] { "mx1.example", "192.0.2.1" }.Take(hosts)] : [],
            };
        });

    [Theory]
    [InlineData("export", "--full")]
    [InlineData("domain", "list", "--format", "json")]
    public void What_was_trusted_at_first_sight_is_so_in_another_store(params string[] written)
    {
        using var session = new CliSession();
        Store(session, [Entry([Pin(CliSession.Pin) with { Strength = PinStrength.Tofu }, Pin(CliSession.OtherPin)])]);

        using var other = new CliSession { Input = session.Succeed(written) };
        Assert.Contains("at first sight, with no evidence of whose it is", other.Run("apply", "-").Error, StringComparison.Ordinal);
        other.Succeed("apply", "-", "--reason", "a new machine");

        var pins = other.Succeed("pin", "list", "a.example");
        Assert.Matches($"{CliSession.Pin}\t.*\ttofu\t", pins);
        Assert.Matches($"{CliSession.OtherPin}\t.*\tperson\t", pins);
        other.Input = other.Succeed("export", "--full");
        Assert.Equal(ExitCode.Done, other.Run("apply", "--diff", "-").Code);
    }

    [Fact]
    public void A_pin_that_a_file_adds_as_trusted_at_first_sight_is_so_and_one_that_is_served_keeps_its_strength()
    {
        using var session = new CliSession { Input = $"a.example fingerprint match={CliSession.Pin}|{CliSession.OtherPin} tofu={CliSession.Pin}|{CliSession.OtherPin}\n" };
        Store(session, [Entry([Pin(CliSession.Pin)])]);

        session.Succeed("apply", "-", "--reason", "seen on the spot");

        var pins = session.Succeed("pin", "list", "a.example");
        Assert.Matches($"{CliSession.Pin}\t.*\tperson\t", pins);
        Assert.Matches($"{CliSession.OtherPin}\t.*\ttofu\t", pins);
        Assert.Contains("so already", session.Run("apply", "-").Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(@"u.example encrypt note=a\u{0}", "-:1: u.example: note: it has a NUL character, which cannot be stored")]
    [InlineData(@"[{""key"":""u.example"",""level"":""encrypt"",""note"":""x\u0000y""}]", "u.example: note: it has a NUL character, which cannot be stored")]
    public void A_NUL_in_a_note_is_refused_with_its_line(string file, string why)
    {
        using var session = new CliSession { Input = file + "\n" };

        var result = session.Run("apply", "-");

        Assert.Contains(why, result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Invalid, result.Code);
    }

    [Fact]
    public void What_export_full_writes_changes_nothing_where_it_is_applied() => Entries.Array[0, 8].Sample(
        entries =>
        {
            using var session = new CliSession("version = 3.10");
            Store(session, entries);
            var exported = session.Succeed("export", "--full");
            session.Time.Advance(TimeSpan.FromHours(1));

            session.Input = exported;
            Assert.Equal((ExitCode.Done, ""), (session.Run("apply", "-", "--diff", "--prune") is var diff ? diff.Code : 0, diff.Out));
            session.Succeed("apply", "-");
            session.Input = session.Succeed("domain", "list", "--format", "json");
            session.Succeed("apply", "-", "--prune");
            Assert.Equal(exported, session.Succeed("export", "--full"));
            Assert.Equal(entries.DistinctBy(entry => entry.Key).Count() + 1, Rows(session));

            // Into an empty store: the same again, but for what is the prober's.
            using var other = new CliSession("version = 3.10") { Input = exported };
            other.Succeed("apply", "-", "--reason", "a copy");
            Assert.Equal(Said(exported), Said(other.Succeed("export", "--full")));
            Assert.Equal(Decided(session), Decided(other));
        },
        iter: 30);

    [Fact]
    public void A_file_is_made_so_and_a_second_time_there_is_nothing_to_do()
    {
        using var session = new CliSession();
        var file = session.Write(
            "entries", $"a.example fingerprint match={CliSession.Pin} mode=locked {{ note = contract 4711 }}\n.b.example secure observe=yes probe_as=mx.b.example\n");

        session.Succeed("apply", file);
        var again = session.Run("apply", file);

        Assert.Equal(ExitCode.Done, again.Code);
        Assert.Contains("Nothing to change: it is so already.", again.Error, StringComparison.Ordinal);
        Assert.Contains("a.example\tfingerprint\t1/1\tyes\tlocked\tcontract 4711", session.Succeed("domain", "list"), StringComparison.Ordinal);
        Assert.Contains(".b.example\tsecure\t-\tobserved", session.Succeed("domain", "list"), StringComparison.Ordinal);
        Assert.Contains("probe as\tmx.b.example", session.Succeed("domain", "show", ".b.example"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_difference_is_shown_row_by_row_and_ends_with_1()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "b.example", "c.example", "--level", "encrypt");
        session.Input = "a.example encrypt\nb.example secure\nd.example may\n";

        var diff = session.Run("apply", "-", "--diff", "--prune", "--format", "table");

        Assert.Equal(ExitCode.Negative, diff.Code);
        Assert.Contains("-b.example                                encrypt\n+b.example                                secure\n", diff.Out, StringComparison.Ordinal);
        Assert.Contains("+d.example                                may\n", diff.Out, StringComparison.Ordinal);
        Assert.Contains("-c.example                                encrypt\n  weakens: ", diff.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("a.example", diff.Out, StringComparison.Ordinal);
        Assert.Equal(4, Rows(session));
    }

    [Fact]
    public void Pruning_takes_a_reason_and_an_empty_file_prunes_nothing()
    {
        using var session = new CliSession { Input = "a.example encrypt\n" };
        session.Succeed("domain", "add", "a.example", "b.example", "--level", "encrypt");

        Assert.Equal(ExitCode.Usage, session.Run("apply", "-", "--prune").Code);
        session.Succeed("apply", "-", "--prune", "--reason", "release 42");
        session.Input = "# nothing\n";
        var empty = session.Run("apply", "-", "--prune", "--reason", "release 43");

        Assert.Equal(ExitCode.Invalid, empty.Code);
        Assert.Contains("--prune would remove all 1", empty.Error, StringComparison.Ordinal);
        Assert.StartsWith("a.example", session.Succeed("domain", "list"), StringComparison.Ordinal);
        Assert.Single(session.Succeed("domain", "list").TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("mode=lazy", "mode: 'lazy' is no mode; write one of locked, assist, auto")]
    [InlineData("mode=locked mode=auto", "mode: it is given twice")]
    [InlineData("observe=maybe", "observe: 'maybe' is neither yes nor no")]
    [InlineData("probe_as=mx.example", "probe_as: it is for keys with a leading dot")]
    [InlineData("note=a\\b", "note: a backslash begins")]
    [InlineData("certificate=" + CliSession.OtherPin, "certificate: " + CliSession.OtherPin + " is no pin of this row")]
    [InlineData("rejected=" + CliSession.Pin, "rejected: " + CliSession.Pin + " is a pin of this row, too")]
    [InlineData("revoked=" + CliSession.Pin, "revoked: " + CliSession.Pin + " is a pin of this row, too")]
    [InlineData("colour=blue", "'colour' is no attribute of a TLS policy")]
    public void What_is_wrong_is_told_with_its_line_and_nothing_is_changed(string attribute, string problem)
    {
        using var session = new CliSession();
        var file = session.Write("entries", $"ok.example may\n# comment\na.example fingerprint\n    match={CliSession.Pin}\n    {attribute}\n");

        var result = session.Run("apply", file);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"{file}:5: a.example (of line 3): {problem}", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.Succeed("domain", "list"));
    }

    [Theory]
    [InlineData("""[{"key":"a.example","level":"secure","note":"x","mode":"auto"}]""", "a.example\tsecure\t-\tyes\tauto\tx")]
    [InlineData("""{"key":"a.example","level":"encrypt","attributes":{"ciphers":"high"},"note":null,"probed":[1]}""", "a.example\tencrypt\t-\tyes\tassist\t")]
    [InlineData("[ ]", "")]
    public void JSON_is_read_too(string json, string listed)
    {
        using var session = new CliSession { Input = json };

        session.Succeed("apply", "-");

        Assert.StartsWith(listed, session.Succeed("domain", "list"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"key":"a.example"}]""", "-, entry 1: a.example: it has no level")]
    [InlineData("""[{"key":"a.example","level":"may"},{"key":"b.example","level":"sceure"}]""", "-, entry 2: b.example: 'sceure' is no TLS security level; did you mean 'secure'?")]
    [InlineData("""[{"key":"a.example","level":"may","attributes":{"ciphers":["nope"]}}]""", "a.example: ciphers: 'nope' is no cipher grade")]
    [InlineData("""[{"key":"a.example","level":"may"},{"key":"A.EXAMPLE","level":"may"}]""", "a.example stands there twice")]
    [InlineData("[{\"key\":\n}]", "-:2: it is no valid JSON: in line 2, character 1, '}' cannot stand; nothing was changed\n")]
    [InlineData("[{\"key\": \"ü\", x", "-:1: it is no valid JSON: in line 1, character 15, 'x' cannot stand; nothing was changed\n")]
    [InlineData("[\n{\"key\":\"a.example\"", "-:2: it is no valid JSON: in line 2, character 19, it ends too early; a bracket, a brace or a quotation mark is not closed, or something is missing; nothing was changed\n")]
    [InlineData("""[{"key":"a.example","level":"may","mod":"locked"}]""", "-, entry 1: a.example: 'mod' is no member of an entry; did you mean 'mode'?")]
    [InlineData("""[{"key":"a.example","level":"secure","match":"mx.example"}]""", "a.example: 'match' is no member of an entry; write match in 'attributes'")]
    [InlineData("""[{"key":"a.example","level":"may","mode":"auto","mode":"locked"}]""", "a.example: 'mode' is given twice")]
    [InlineData("""[{"kye":"a.example","level":"may"}]""", "-, entry 1: 'kye' is no member of an entry; did you mean 'key'?")]
    [InlineData("""[{"key":5,"level":"may"}]""", "-, entry 1: 'key' is no text")]
    [InlineData("""[{"key":"a.example","level":[]}]""", "a.example: 'level' is no text")]
    [InlineData("""[{"key":"a.example","level":"may","note":5}]""", "a.example: 'note' is no text and no array of texts")]
    [InlineData("""[{"key":"a.example","level":"may","note":true}]""", "a.example: 'note' is no text and no array of texts")]
    [InlineData("""[{"key":"a.example","level":"may","note":["a","b"]}]""", "a.example: 'note' takes one value")]
    [InlineData("""[{"key":"a.example","level":"may","mode":[]}]""", "a.example: 'mode' takes one value")]
    [InlineData("""[{"key":"a.example","level":"may","observe":1}]""", "a.example: 'observe' is no text and no array of texts")]
    [InlineData("""[{"key":".a.example","level":"may","probe_as":true}]""", ".a.example: 'probe_as' is no text and no array of texts")]
    [InlineData("""[{"key":"a.example","level":"secure","attributes":["match"]}]""", "a.example: 'attributes' is no object")]
    [InlineData("""[{"key":"a.example","level":"secure","attributes":{"mtach":"mx.example"}}]""", "a.example: 'mtach' is no attribute of a TLS policy; did you mean 'match'?")]
    [InlineData("""[{"key":"a.example","level":"secure","attributes":{"match":"a.b","Match":"c.d"}}]""", "a.example: 'match' is given twice")]
    [InlineData("""[{"key":"a.example","level":"secure","attributes":{"match":null}}]""", "a.example: 'match' is no text and no array of texts")]
    [InlineData("""[{"key":"a.example","level":"may","pins":{}}]""", "a.example: 'pins' is no array")]
    [InlineData("""[{"key":"a.example","level":"may","pins":["aa"]}]""", "a.example: pins: one of them is no object")]
    [InlineData("""[{"key":"a.example","level":"may","pins":[{}]}]""", "a.example: pins: it has no fingerprint")]
    [InlineData("""[{"key":"a.example","level":"may","pins":[{"fingerprint":"FP","state":5}]}]""", "a.example: pins: 'state' is no text")]
    [InlineData("""[{"key":"a.example","level":"may","pins":[{"fingerprint":"FP","subject":{}}]}]""", "a.example: pins: 'subject' is no text")]
    [InlineData("""[{"key":"a.example","level":"may","pins":[{"fingerprint":"FP","state":"rejcted"}]}]""", "a.example: 'rejcted' is no state of a pin; did you mean 'rejected'?")]
    [InlineData("""[{"key":"a.example","level":"may","pins":[{"fingerprint":"FP","subject":"public_key"}]}]""", "taken of; did you mean 'public-key'?")]
    [InlineData("""[{"key":"a.example","level":"may","pins":[{"fingerprint":"FP","stat":"rejected"}]}]""", "a.example: pins: 'stat' is no member of a pin; did you mean 'state'?")]
    [InlineData("""[{"key":"a.example","level":"may","note":"\ud800"}]""", "-, entry 1: a text in it is no Unicode; write it in UTF-8")]
    public void JSON_that_cannot_be_applied_says_where_it_is_wrong(string json, string problem)
    {
        using var session = new CliSession { Input = json.Replace("FP", CliSession.Pin, StringComparison.Ordinal) };

        var result = session.Run("apply", "-");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_member_of_a_listed_destination_is_known()
    {
        var entry = string.Join(',', CliJson.Default.DestinationJson.Properties.Select(member => member.Name).Except(["key", "level", "pins"]).Select(name => $"\"{name}\":null"));
        var pin = string.Join(',', CliJson.Default.PinJson.Properties.Select(member => member.Name).Except(["fingerprint"]).Select(name => $"\"{name}\":null"));
        using var session = new CliSession
        {
            Input = $"[{{\"key\":\"a.example\",\"level\":\"fingerprint\",{entry},\"pins\":[{{\"fingerprint\":\"{CliSession.Pin}\",{pin}}}]}}]",
        };

        session.Succeed("apply", "-");

        Assert.Contains("a.example\tfingerprint\t1/1", session.Succeed("domain", "list"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_that_begins_with_a_bracket_is_no_JSON()
    {
        using var session = new CliSession { Input = "[mx.example.com]:587 encrypt\n" };

        session.Succeed("apply", "-");

        Assert.StartsWith("[mx.example.com]:587\tencrypt", session.Succeed("domain", "list"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pin_that_a_person_retired_is_served_again_where_the_file_names_it_and_a_rejected_one_is_not()
    {
        using var session = new CliSession { Input = $"a.example fingerprint match={CliSession.OtherPin}\n" };
        session.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin);
        session.Succeed("apply", "-");
        session.Input = $"a.example fingerprint match={CliSession.Pin} rejected={CliSession.OtherPin}\n";
        session.Succeed("apply", "-");
        Assert.Contains($"answer\tfingerprint match={CliSession.Pin}\n", session.Succeed("domain", "show", "a.example"), StringComparison.Ordinal);

        session.Input = $"a.example fingerprint match={CliSession.Pin}\n";
        Assert.Contains("so already", session.Run("apply", "-").Error, StringComparison.Ordinal);
        session.Input = $"a.example fingerprint match={CliSession.OtherPin}\n";
        Assert.Equal(ExitCode.Usage, session.Run("apply", "-").Code);
    }

    [Fact]
    public void A_file_from_before_a_revocation_shows_its_difference_and_takes_a_reason_only_to_be_made()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin, "--match", CliSession.OtherPin);
        session.Input = session.Succeed("export", "--full");
        session.Succeed("pin", "revoke", "a.example", CliSession.OtherPin);

        var diff = session.Run("apply", "-", "--diff", "--format", "table");

        Assert.Equal(ExitCode.Negative, diff.Code);
        Assert.Contains("which was revoked", diff.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, session.Run("apply", "-").Code);
    }

    [Theory]
    [InlineData("export", "--full")]
    [InlineData("domain", "list", "--format", "json")]
    public void A_revocation_moves_to_a_new_store_with_the_entry(params string[] written)
    {
        using var old = new CliSession();
        old.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin, "--match", CliSession.OtherPin);
        old.Succeed("pin", "revoke", "a.example", CliSession.OtherPin);
        using var session = new CliSession { Input = old.Succeed(written) };

        session.Succeed("apply", "-");

        var refused = session.Run("pin", "add", "a.example", CliSession.OtherPin);
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("was revoked on ", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_revokes_what_is_served_what_is_retired_and_what_was_never_seen_and_a_rejected_pin_stays_rejected()
    {
        var (retired, rejected, unseen) = (new string('1', 64), new string('2', 64), new string('3', 64));
        using var session = new CliSession();
        Store(session, [Entry(
        [
            Pin(CliSession.Pin), Pin(CliSession.OtherPin) with { Strength = PinStrength.Dane },
            Pin(retired) with { State = PinState.Retired }, Pin(rejected) with { State = PinState.Rejected },
        ])]);
        session.Input = $"a.example fingerprint match={CliSession.Pin} revoked={CliSession.OtherPin}|{retired}|{rejected}|{unseen} public_key={unseen}\n";

        var applied = session.Run("apply", "-");

        Assert.Equal(ExitCode.Done, applied.Code);
        Assert.DoesNotContain("stays", applied.Error, StringComparison.Ordinal);
        Assert.Equal(
            [$"{retired} revoked", $"{rejected} rejected", $"{unseen} revoked", $"{CliSession.Pin} active", $"{CliSession.OtherPin} revoked"],
            Decided(session).Select(pin => pin["a.example ".Length..]));
        Assert.Contains($"{unseen}\tsha256\tpublic-key\trevoked\t", session.Succeed("pin", "list", "a.example"), StringComparison.Ordinal);
        Assert.Contains("so already", session.Run("apply", "-").Error, StringComparison.Ordinal);
    }

    private static Destination Entry(ImmutableArray<Pin> pins) =>
        new() { Key = NextHop.Parse("a.example"), Policy = new TlsPolicy { Level = TlsLevel.Fingerprint }, Pins = pins };

    private static Pin Pin(string hex) => new(Parse(hex), PinSubject.Unknown, PinState.Active, PinStrength.Person, DateTimeOffset.UnixEpoch);

    private static Fingerprint Parse(string hex) => Fingerprint.TryParse(hex, out var fingerprint, out var reason) ? fingerprint : throw new FormatException(reason);

    private static void Store(CliSession session, IEnumerable<Destination> entries)
    {
        var postfix = PostfixSettings.Default with { Version = new PostfixVersion(3, 10) };
        using var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time);
        using var change = store.BeginChange(new ChangeOrigin(new Actor("root", null, null), "test", "test"), postfix);
        foreach (var entry in entries.DistinctBy(entry => entry.Key))
            change.Put(entry);
        change.Commit();
    }

    private static int Rows(CliSession session) => session.Succeed("audit").Count(character => character == '\n');

    /// <summary>What a person decided about pins: those that are served, whatever their state, and those that are refused.</summary>
    private static List<string> Decided(CliSession session)
    {
        using var store = PolicyStore.Open(session.Store, StoreAccess.Read, session.Time);
        return
        [
            .. store.List().ToList().SelectMany(entry => entry.Pins.Where(pin => pin.IsServed || pin.State.IsRefused())
                .Select(pin => $"{entry.Key} {pin.Fingerprint.Hex} {(pin.IsServed ? "active" : pin.State.Name())}")).Order(StringComparer.Ordinal),
        ];
    }

    private static IEnumerable<string> Said(string exported) => exported.Split('\n').Where(line => !line.StartsWith("#   ", StringComparison.Ordinal));
}
