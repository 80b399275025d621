namespace PolicyDaemon.Browser.Site;

/// <summary>A site of its own for what counts, kills and scrapes; prober and discovery are on, so that their metrics are there.</summary>
public sealed class MonitoredSite : RunningSite
{
    /// <summary>The destination that lookups ask for.</summary>
    public const string Key = "counted.example";

    // Nobody answers there: the prober finds that out, and no real server is asked.
    protected override string Sections => """
        [postfix]
        security_level = may
        [probe]
        resolver = 127.0.0.1:9
        resolver_trusted = yes
        alert_command = /bin/true
        [discovery]
        mode = observe
        [metrics]
        name_findings = yes
        """;

    protected override async Task FillAsync()
    {
        await DoAsync("init");
        await DoAsync("domain", "add", Key, "--level", "encrypt");
        await DoAsync("domain", "add", "pinned.example", "--level", "fingerprint", "--match", new string('a', 64));
    }
}

/// <summary>Stories that count or kill share one site, one after the other.</summary>
[CollectionDefinition]
public sealed class Monitored : ICollectionFixture<MonitoredSite>;
