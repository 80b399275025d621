using System.Collections.Immutable;

namespace PolicyDaemon.Core.Configuration;

/// <summary>How findings reach a person, beside the journal; the <c>alert_</c> keys of policydaemon.conf(5), <c>[probe]</c>.</summary>
public sealed record AlertSettings
{
    /// <summary>A program, an absolute path, and its arguments; empty: none.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>How long the command, or one attempt at the webhook, may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Where systemd runs the command outside the daemon's sandbox, the path of a unix socket; empty: the daemon runs it.</summary>
    public required string Socket { get; init; }

    /// <summary>Where JSON is posted; null: nowhere.</summary>
    public required Uri? Webhook { get; init; }

    /// <summary>How long after it was first seen an open finding is said again; ascending.</summary>
    public required ImmutableArray<TimeSpan> Escalation { get; init; }

    /// <summary>Somebody beside the journal hears of findings.</summary>
    public bool HasChannel => !Command.IsEmpty || Webhook is not null;
}
