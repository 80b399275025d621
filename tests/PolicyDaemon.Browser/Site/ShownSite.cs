using System.Text.RegularExpressions;

namespace PolicyDaemon.Browser.Site;

/// <summary>The site that most stories look at: ten weeks of probes, two hundred entries, findings, decisions, and text that attacks its reader.</summary>
public sealed partial class ShownSite : RunningSite
{
    /// <summary>The path of a finding that is open.</summary>
    public string Finding { get; private set; } = "";

    /// <summary>The path of the finding about the destination that attacks.</summary>
    public string HostileFinding { get; private set; } = "";

    /// <summary>The browser, without a page.</summary>
    internal PageBrowser Browser { get; } = new();

    // Nothing real is asked: what the prober saw was filled in.
    protected override string Sections => """
        [postfix]
        security_level = may
        [probe]
        enabled = no
        """;

    protected override Task FillAsync() => ShownStore.FillAsync(Database, DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));

    protected override async Task AfterStartAsync()
    {
        var table = Path.Combine(Folder, "table");
        await File.WriteAllLinesAsync(table, Enumerable.Range(1, 200).Select(number => $"d{number:d3}.table.example {(number % 3 == 0 ? "secure match=.table.example" : number % 3 == 1 ? "encrypt" : "may")}"));
        await DoAsync("import", "--quiet", table);
        await DoAsync("domain", "set", ShownStore.Hostile, "--note", HostileText.Markup + HostileText.Turning + HostileText.Marks);
        await DoAsync("domain", "set", "gone.example", "--note", "contract 4711; the postmaster answers on weekdays");
        await DoAsync("domain", "add", "temporary.example", "--level", "secure", "--until", "7d", "--reason", "a trial");
        await DoAsync("domain", "remove", "d200.table.example", "--reason", HostileText.Markup);
        await DoAsync("domain", "add", "contract.example", "--level", "discovered", "--floor", "secure");
        // Near misses, and lookups to draw.
        for (var round = 0; round < 3; round++)
        {
            foreach (var key in (string[])[ShownStore.Rotating, "d001.table.example", "nobody.example", "[d002.table.example]:587"])
                await RunAsync("query", key);
        }

        Finding = await FindingOfAsync(ShownStore.Changed);
        HostileFinding = await FindingOfAsync(ShownStore.Hostile);
        await Browser.StartAsync();
    }

    protected override async ValueTask StopAsync() => await Browser.DisposeAsync();

    // The page of a destination leads to its findings.
    private async Task<string> FindingOfAsync(string key)
    {
        var page = await Http.GetStringAsync(new Uri(Address, "/destinations/" + key));
        var link = FindingLink().Match(page);
        return link.Success ? link.Groups[1].Value : throw new InvalidOperationException($"the page of {key} leads to no finding");
    }

    [GeneratedRegex("href=\"(/findings/[^\"]+)\"")]
    private static partial Regex FindingLink();
}

/// <summary>Stories that look and change nothing share one site.</summary>
[CollectionDefinition]
public sealed class Shown : ICollectionFixture<ShownSite>;
