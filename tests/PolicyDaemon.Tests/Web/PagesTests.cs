using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Store.Probing;
using Xunit;

namespace PolicyDaemon.Tests.Web;

/// <summary>Every page over a store, as a browser gets it.</summary>
public sealed class PagesTests
{
    private const string Hostile = "<script>alert(1)</script>\u202egpj\u001b[31m\"'";

    [Fact]
    public async Task A_probed_destination_shows_its_answer_its_keys_and_how_they_followed_one_another()
    {
        using var fixture = new LedgerFixture();
        fixture.Add("example.com", LedgerFixture.Pin(0), LedgerFixture.Pin(1, PinState.Standby));
        fixture.See(1, 0);
        fixture.Ledger.Record(fixture.Result("example.com"));
        fixture.Store.Time.Advance(TimeSpan.FromDays(2));
        fixture.See(1, 1);
        fixture.Ledger.Record(fixture.Result("example.com", LedgerFixture.Move(1, PinState.Standby, PinState.Active, RotationRule.Dane)));
        await using var session = await WebSession.StartAsync(fixture.Store.Path, fixture.Store.Time);

        var page = await session.GetAsync("/destinations/example.com");

        var (old, now) = (LedgerFixture.Certificate(0).KeyId.Hex, LedgerFixture.Certificate(1).KeyId.Hex);
        Assert.Contains($"fingerprint match={old}|{now}", page, StringComparison.Ordinal);
        Assert.Contains($"<code>{now[..8]}</code></span> <span class=\"good\">active</span>", page, StringComparison.Ordinal);
        Assert.Contains($"{now[..8]} standby to active", page, StringComparison.Ordinal);
        Assert.Contains("because of Dane", page, StringComparison.Ordinal);
        Assert.Contains("<bdi>S: 220 hello</bdi>\n<bdi>C: QUIT</bdi>\n", page, StringComparison.Ordinal);
        Assert.Contains("class=\"flag hollow\"", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/destinations/nobody.example")]
    [InlineData("/destinations/..%2f..%2fetc")]
    [InlineData("/destinations/%3Cscript%3E")]
    [InlineData("/findings/1")]
    [InlineData("/findings/-1")]
    [InlineData("/findings/99999999999999999999")]
    [InlineData("/destinations%2Fx")]
    [InlineData("/index.php")]
    public async Task What_is_not_there_is_a_page_that_says_so(string path)
    {
        using var store = new TemporaryStore();
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        var page = await session.GetAsync(path, HttpStatusCode.NotFound);

        Assert.Contains("<h1>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/destinations?q=%ff%fe&level=bogus&findings=maybe&after=%00%27--")]
    [InlineData("/destinations?q=%25%27%22%3Cscript%3E")]
    [InlineData("/destinations?after=\ud83d\udce7")]
    [InlineData("/audit?before=1")]
    [InlineData("/discovery?after=zzz")]
    [InlineData("/?x=%")]
    public async Task Garbage_in_the_query_finds_nothing_and_breaks_nothing(string path)
    {
        using var store = new TemporaryStore();
        store.Put(TemporaryStore.Secure("example.com"));
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        Assert.DoesNotContain("<script>", await session.GetAsync(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/audit?before=x")]
    [InlineData("/audit?key=%20")]
    public async Task A_question_that_cannot_be_meant_is_told_so(string path)
    {
        using var store = new TemporaryStore();
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        Assert.Contains("Not understood", await session.GetAsync(path, HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public async Task Findings_stand_on_the_overview_the_worst_first_and_have_a_page_each(int count)
    {
        using var fixture = new LedgerFixture();
        for (var at = 0; at < count; at++)
        {
            fixture.Add(string.Create(CultureInfo.InvariantCulture, $"d{at}.example"), LedgerFixture.Pin(0));
            using var store = fixture.Store.Open();
            store.RaiseFinding(new Finding(
                at % 2 == 0 ? FindingKind.NewKey : FindingKind.StartTlsGone, string.Create(CultureInfo.InvariantCulture, $"d{at}.example"),
                string.Create(CultureInfo.InvariantCulture, $"what was seen, number {at}"), "policyctl pin approve", fixture.Now));
        }

        await using var session = await WebSession.StartAsync(fixture.Store.Path, fixture.Store.Time);

        var page = await session.GetAsync("/");

        Assert.Equal(Math.Min(count, FindingSurvey.MostCauses), page.Split("<li class=\"look-at-it\">").Length - 1 + page.Split("<li class=\"mail-waits\">").Length - 1
            + page.Split("<li class=\"mail-will-wait\">").Length - 1);
        // Five of each severity are in sight, the others folded away.
        Assert.Equal(count > 0 ? 1 : 0, page.Split("<details class=\"more\">").Length - 1);
        if (count > 0)
        {
            Assert.Contains("href=\"/findings/", page, StringComparison.Ordinal);
            Assert.Contains("policyctl pin approve", page, StringComparison.Ordinal);
            Assert.Contains("what was seen, number 0", await session.GetAsync("/findings/1"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_a_peer_wrote_is_text_on_every_page()
    {
        using var fixture = new LedgerFixture();
        fixture.Store.Put(TemporaryStore.Pinned("example.com", LedgerFixture.Pin(0)) with { Note = Hostile });
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var name = new X500DistinguishedNameBuilder();
            name.AddCommonName(Hostile + new string('x', 10_000));
            using var certificate = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256).CreateSelfSigned(fixture.Now.AddDays(-1), fixture.Now.AddDays(30));
            var presented = new PresentedCertificate(ServerCertificate.TryParse(certificate.RawData)!, [], ChainVerdict.NotTrusted, Hostile, "TLSv1.3", "x");
            fixture.Ledger.Record(fixture.Observation(1, ProbeOutcome.Secured) with { Certificates = [presented], Detail = Hostile, Transcript = ["S: 220 " + Hostile] });
        }

        fixture.Ledger.Record(LedgerFixture.With(fixture.Result("example.com"), LedgerFixture.Finding(FindingKind.NewKey, Hostile + new string('y', 10_000))));
        await using var session = await WebSession.StartAsync(fixture.Store.Path, fixture.Store.Time);

        foreach (var path in (string[])["/", "/destinations", "/destinations/example.com", "/findings/1", "/audit", "/audit?key=example.com", "/nodes", "/discovery"])
        {
            var page = await session.GetAsync(path);

            Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
            Assert.DoesNotContain("\u202e", page, StringComparison.Ordinal);
            Assert.DoesNotContain("\u001b", page, StringComparison.Ordinal);
            Assert.InRange(page.Length, 500, 60_000);
        }
    }

    [Fact]
    public async Task The_list_pages_through_all_keys_once_each()
    {
        using var store = new TemporaryStore();
        var keys = Enumerable.Range(0, 120).Select(at => string.Create(CultureInfo.InvariantCulture, $"d{at:000}.example")).ToList();
        store.Put([.. keys.Select(key => TemporaryStore.Secure(key))]);
        await using var session = await WebSession.StartAsync(store.Path, store.Time);
        var seen = new List<string>();
        for (var path = "/destinations"; path.Length > 0;)
        {
            var page = await session.GetAsync(path);
            seen.AddRange(keys.Where(key => page.Contains($"<bdi>{key}</bdi>", StringComparison.Ordinal)));
            var next = page.IndexOf("\" rel=\"next\"", StringComparison.Ordinal);
            path = next < 0 ? "" : WebUtility.HtmlDecode(page[(page.LastIndexOf("href=\"", next, StringComparison.Ordinal) + 6)..next]);
        }

        Assert.Equal(keys, seen);
        Assert.Contains("d077.example", await session.GetAsync("/destinations?q=D077"), StringComparison.Ordinal);
        Assert.Contains("No destination matches", await session.GetAsync("/destinations?q=nowhere"), StringComparison.Ordinal);
        Assert.Contains("No destination matches", await session.GetAsync("/destinations?level=dane"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_audit_log_shows_who_did_what_and_how_much_on_each_day()
    {
        using var store = new TemporaryStore();
        store.Time.Advance(TimeSpan.FromDays(3));
        store.Put(TemporaryStore.Secure("example.com"));
        store.Time.Advance(TimeSpan.FromHours(1));
        store.Put(TemporaryStore.Secure("example.com", "a note"));
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        var page = await session.GetAsync("/audit");

        Assert.Contains("alice", page, StringComparison.Ordinal);
        Assert.Contains("3 changes in 60 days", page, StringComparison.Ordinal);
        Assert.Contains("<time datetime=\"2026-11-26\">2026-11-26</time></th><td class=\"number\">2</td>", page, StringComparison.Ordinal);
        Assert.Contains("<time datetime=\"2026-11-23\">2026-11-23</time></th><td class=\"number\">1</td>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not a store")]
    [InlineData("")]
    public async Task A_store_that_is_none_is_said_on_every_page(string content)
    {
        using var store = new TemporaryStore(create: false);
        await File.WriteAllTextAsync(store.Path, content, TestContext.Current.CancellationToken);
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        Assert.Contains("The store cannot be read", await session.GetAsync("/"), StringComparison.Ordinal);
        Assert.Contains("The store cannot be read", await session.GetAsync("/destinations", HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        Assert.Contains("policydaemon_store_up 0", await session.GetAsync("/metrics"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/audit?key=EXAMPLE.com", HttpStatusCode.OK)]
    [InlineData("/audit?key=*", HttpStatusCode.OK)]
    [InlineData("/audit?key=https://example.com", HttpStatusCode.BadRequest)]
    [InlineData("/destinations/EXAMPLE.com", HttpStatusCode.OK)]
    [InlineData("/destinations/*", HttpStatusCode.NotFound)]
    public async Task A_key_is_folded_as_Postfix_folds_it(string path, HttpStatusCode status)
    {
        using var fixture = new LedgerFixture();
        fixture.Add("example.com", LedgerFixture.Pin(0));
        await using var session = await WebSession.StartAsync(fixture.Store.Path, fixture.Store.Time);

        Assert.Contains("</html>", await session.GetAsync(path, status), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "text/plain; version=0.0.4; charset=utf-8", "\n")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5", "application/openmetrics-text; version=1.0.0; charset=utf-8", "\n# EOF\n")]
    public async Task Metrics_are_written_as_the_client_wants_them(string accept, string type, string end)
    {
        using var store = new TemporaryStore();
        await using var session = await WebSession.StartAsync(store.Path, store.Time);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/metrics", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", accept);

        using var answer = await session.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(type, answer.Content.Headers.ContentType?.ToString());
        Assert.EndsWith(end, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_of_a_newer_version_is_said_to_be_one()
    {
        using var store = new TemporaryStore();
        store.Sql("INSERT INTO schema_version VALUES (9999, 9999, 9999)");
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        Assert.Contains("newer version", await session.GetAsync("/"), StringComparison.Ordinal);
        Assert.Contains("newer version", await session.GetAsync("/audit", HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_counts_and_shows_what_changes_next()
    {
        using var fixture = new LedgerFixture();
        fixture.Add("example.com", LedgerFixture.Pin(0), LedgerFixture.Pin(2, PinState.Candidate));
        fixture.Add("other.example", LedgerFixture.Pin(0));
        fixture.See(1, 0);
        fixture.Ledger.Record(fixture.Result("example.com"));
        await using var session = await WebSession.StartAsync(fixture.Store.Path, fixture.Store.Time);

        var page = await session.GetAsync("/");

        Assert.Contains("<span class=\"figure\">2</span> <span class=\"of\"><a href=\"/destinations\">destinations</a>", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"figure\">1</span> <span class=\"of\">ok</span>", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"figure\">1</span> <span class=\"of\">not probed</span>", page, StringComparison.Ordinal);
        Assert.Contains("<td>candidate</td>", page, StringComparison.Ordinal);
        Assert.Contains("a person decides", page, StringComparison.Ordinal);
        Assert.Contains("does not answer on its status socket", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_ends_is_told_of_with_whose_it_is_and_whether_it_is_pinned()
    {
        using var fixture = new LedgerFixture();
        fixture.Add("example.com", LedgerFixture.Pin(0));
        fixture.See(1, 0);
        fixture.Ledger.Record(fixture.Result("example.com"));
        fixture.Store.Time.SetUtcNow(LedgerFixture.Certificate(0).NotAfter.AddDays(-10.5));
        await using var session = await WebSession.StartAsync(fixture.Store.Path, fixture.Store.Time);

        Assert.Contains("<td class=\"number\">10</td>", await session.GetAsync("/"), StringComparison.Ordinal);
        Assert.Contains("<td>its key</td>", await session.GetAsync("/"), StringComparison.Ordinal);
    }
}
