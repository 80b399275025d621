using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>An observation as the store keeps it for people; the rules of the pin life cycle never read it.</summary>
/// <param name="MxHost">The MX host that the address belongs to.</param>
/// <param name="Target">The address, its port and the name that is sent (SNI).</param>
/// <param name="At">When the probe ended.</param>
/// <param name="Outcome">The outcome of the probe.</param>
/// <param name="Stage">The stage that the probe reached, or failed in.</param>
/// <param name="ReplyCode">The code of an SMTP refusal; null where there was none.</param>
/// <param name="Detail">The server's words or the system's.</param>
/// <param name="Certificates">The certificates that the address presented, at most one of each key algorithm.</param>
/// <param name="Timings">How long each stage took; empty like <paramref name="Transcript"/>.</param>
/// <param name="Transcript">The dialogue; empty in an older one of several probes in a row with the same outcome.</param>
public sealed record StoredObservation(
    string MxHost, ProbeTarget Target, DateTimeOffset At, ProbeOutcome Outcome, ProbeStage Stage, int? ReplyCode, string? Detail,
    ImmutableArray<StoredCertificate> Certificates, ImmutableArray<StageTiming> Timings, ImmutableArray<string> Transcript)
{
    /// <summary>The last observations of a destination's addresses, newest first; an address that stands for several MX hosts is there for each.</summary>
    internal static List<StoredObservation> Read(DbConnection connection, string key) => [.. connection.Query<Row>(
        """
        SELECT l.mx_host, t.name AS target, o.at, o.outcome, o.stage, o.reply_code, o.detail, o.certificates, o.timings, o.transcript
        FROM destination d
        JOIN mx_target l ON l.destination_id = d.id
        JOIN probe_target t ON t.id = l.probe_target_id
        JOIN observation o ON o.probe_target_id = t.id
        WHERE d.key = @key
        ORDER BY o.at DESC, o.id DESC, l.mx_host
        """,
        new { key }).ToList().Select(row => row.Read())];

    internal sealed record Row(
        string MxHost, string Target, long At, string Outcome, string Stage, long? ReplyCode, string? Detail, string? Certificates, string? Timings,
        string? Transcript)
    {
        internal StoredObservation Read() => new(
            MxHost, ProbeTarget.Parse(Target), At.Time(),
            ProbeOutcomes.TryParse(Outcome, out var outcome) ? outcome : throw new FormatException($"outcome '{Outcome}'"),
            StageOf(Stage), (int?)ReplyCode, Detail,
            [.. Certificates is null ? [] : JsonSerializer.Deserialize(Certificates, StoreJson.Default.StoredCertificateArray) ?? []],
            // In the order of the stages, whatever the order of the JSON.
            [
                .. (Timings is null ? [] : JsonSerializer.Deserialize(Timings, StoreJson.Default.DictionaryStringInt64) ?? [])
                    .Select(item => new StageTiming(StageOf(item.Key), TimeSpan.FromMilliseconds(item.Value))).OrderBy(timing => timing.Stage),
            ],
            [.. Transcript is null ? [] : JsonSerializer.Deserialize(Transcript, StoreJson.Default.StringArray) ?? []]);

        private static ProbeStage StageOf(string name) => ProbeStages.TryParse(name, out var stage) ? stage : throw new FormatException($"stage '{name}'");
    }
}
