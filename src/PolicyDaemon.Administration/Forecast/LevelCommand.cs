using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>The command that sets a level, to be pasted into a shell.</summary>
public static class LevelCommand
{
    /// <returns>Null where there is nothing to set: only plain text would go through, the level is not above what is set already, or the servers do
    /// not keep what their domain publishes (<see cref="BrokenPromise"/>). Other names at the level that is set, where DNSSEC says that the names are
    /// the domain's own.</returns>
    public static string? For(CheckResult result)
    {
        if (result.Strongest is not { Level: not TlsLevel.May } strongest)
            return null;
        if (BrokenPromise.Of(result) is not null)
            return null;
        var own = result.Entry is { } entry && entry.Key == result.Key ? entry : null;
        if (own is { Policy.Level: not TlsLevel.Default } && !strongest.Level.IsAbove(own.Policy.Level))
        {
            return own.Observe && result.Probed.Recorded.Result.Verdict == DestinationVerdict.Ok
                ? $"policyctl domain set {Shell.Quote(own.Key.Text)} --enforce"
                : AreNamesAuthenticated(result) ? OfOtherNames(result) : null;
        }

        return Text(result.Key, own, strongest, result.Probed.Resolution);
    }

    /// <summary>The command that gives an entry the names under which its servers would be accepted at the level that it has, for a person who knows
    /// that they are the partner's; null where that is not what mail waits for.</summary>
    public static string? OfOtherNames(CheckResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result is { Entry: { Policy.Level: TlsLevel.Secure } own, AtEntry: { } mail, Strongest: { Level: TlsLevel.Secure, Delivers: true } strongest }
            && own.Key == result.Key && !(strongest.Match.IsEmpty && own.Policy.Match.IsEmpty) && mail.Verdict() is DestinationVerdict.Mismatch or DestinationVerdict.Degraded && BrokenPromise.Of(result) is null
            ? $"{Text(result.Key, own, strongest, result.Probed.Resolution)}{(strongest.Match.IsEmpty ? " --unset match" : "")} --reason 'confirmed by the partner'"
            : null;
    }

    /// <summary>False where whoever forges DNS could have given the names of the servers, and have certificates for them.</summary>
    public static bool AreNamesAuthenticated(CheckResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.Strongest is { Match.IsEmpty: true } || Evidence.NamesAreAuthenticated(result.Resolution.MxDnssec, result.Resolution.HostIsGiven);
    }

    /// <summary>The command that sets a forecast's level, whether the key has an entry or not.</summary>
    public static string Text(NextHop key, Destination? own, LevelForecast forecast, MxResolution resolution)
    {
        var words = new List<string> { "policyctl", "domain", own is null ? "add" : "set", Shell.Quote(key.Text), "--level", forecast.Level.Name() };
        foreach (var name in forecast.Match)
            words.AddRange(["--match", Shell.Quote(name)]);
        if (forecast.SendsName)
            words.AddRange(["--servername", ServerNames.HostName]);
        if (forecast.Level == TlsLevel.Fingerprint)
            words.Add("--probe");
        // Without a host the key is never probed.
        if (key.IsSubdomains)
            words.AddRange(["--probe-as", .. resolution.Hosts.Select(host => Shell.Quote(host.Name))]);

        return string.Join(' ', words);
    }
}
