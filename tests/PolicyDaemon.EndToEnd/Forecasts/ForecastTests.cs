using System.Diagnostics;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>
/// Whether <c>policyctl check</c> says of mail what a real Postfix does with it: every kind of server, at every level. Run by
/// <c>tests/run outlook</c> alone, since it takes minutes.
/// </summary>
public sealed class ForecastTests
{
    [Fact(Explicit = true)]
    public Task Check_says_what_the_hosts_Postfix_does() => CompareAsync(PostfixInstallation.OfTheHost);

    [Fact(Explicit = true)]
    public Task Check_says_what_the_newer_Postfix_does() => CompareAsync(PostfixInstallation.Newer);

    private static async Task CompareAsync(PostfixInstallation postfix)
    {
        var watch = Stopwatch.StartNew();
        // Some of them, for who looks into one.
        var wanted = Environment.GetEnvironmentVariable("POLICYDAEMON_OUTLOOK")?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];
        // Others than the listed ones, and another main.cf.
        int? seed = Environment.GetEnvironmentVariable("POLICYDAEMON_OUTLOOK_SEED") is { Length: > 0 } text
            ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture)
            : null;
        await using var lab = new ForecastLaboratory(postfix, seed);
        await lab.StartAsync(kind => wanted.Length == 0 || wanted.Contains(kind.Name) || wanted.Contains(kind.Group));
        Console.WriteLine($"Postfix {lab.PostfixVersion}{(lab.Settings.Count == 0 ? "" : ": " + string.Join(", ", lab.Settings))}");
        var all = await new ForecastRun(lab).RunAsync(Console.WriteLine);
        ForecastReport.Write(Console.Out, lab.PostfixVersion, all, watch.Elapsed);
        Assert.True(all.All(compared => compared.IsRight), "check disagrees with Postfix: see the table");
    }
}
