using PolicyDaemon.Core;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Probe;

namespace PolicyDaemon.Daemon.Probing;

/// <summary>The lines of <c>policyd --check</c> about the prober.</summary>
internal static class ProberReport
{
    /// <exception cref="ConfigurationException">A file that the settings name cannot be used.</exception>
    internal static void Write(Settings settings, TextWriter output)
    {
        var probe = settings.Probe;
        using var parts = new ProberComposition(probe, settings.Postfix, TimeProvider.System);
        output.WriteLine(probe.Enabled
            ? $"prober         every {probe.Interval.ToText()}, at most {probe.MaxConnections} connections at a time, "
                + $"EHLO {parts.ProbeOptions.EhloName}, trust anchors {(probe.CaFile.Text.Length > 0 ? probe.CaFile.Text : "of the system")}"
            : "prober         off (enabled = no): pins do not follow their servers");
        output.WriteLine($"resolver       {string.Join(", ", parts.Resolver.Servers)}, "
            + (probe.ResolverTrusted
                ? "trusted: what it calls secure counts after its self-test"
                : "not trusted: nothing it says counts as secure"));
        foreach (var channel in Channels(probe.Alerts))
            output.WriteLine($"alerts         {channel}");
    }

    private static IEnumerable<string> Channels(AlertSettings alerts)
    {
        if (!alerts.Command.IsEmpty)
            yield return $"{string.Join(' ', alerts.Command)}{(File.Exists(alerts.Command[0]) ? "" : " (which cannot be seen from here)")}";
        if (alerts.Webhook is { } webhook)
            yield return webhook.GetLeftPart(UriPartial.Path);
        if (!alerts.HasChannel)
            yield return "in the journal only; set alert_command or alert_webhook";
    }
}
