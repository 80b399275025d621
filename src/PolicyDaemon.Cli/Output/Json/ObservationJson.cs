using PolicyDaemon.Core.Observations;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>What one probe of one address saw.</summary>
/// <param name="MxHost">The MX host that the address belongs to.</param>
/// <param name="Target">Address and port, with <c>/name</c> where a name is sent (SNI).</param>
/// <param name="At">When the probe ended.</param>
/// <param name="Outcome">How it ended; <c>secured</c> where a certificate was seen.</param>
/// <param name="ResultType">The outcome's result type in RFC 8460; null where it has none.</param>
/// <param name="Stage">The stage that was reached, or failed.</param>
/// <param name="ReplyCode">Of an SMTP refusal.</param>
/// <param name="Detail">The server's words or the system's.</param>
/// <param name="Stages">How long each stage took; empty where the next probe ended alike.</param>
/// <param name="Certificates">At most one of each key algorithm.</param>
/// <param name="Transcript">The dialogue, one line each with <c>S:</c> or <c>C:</c>; empty where the next probe ended alike.</param>
internal sealed record ObservationJson(
    string MxHost, string Target, DateTimeOffset At, string Outcome, string? ResultType, string Stage, int? ReplyCode, string? Detail,
    IReadOnlyList<StageJson> Stages, IReadOnlyList<StoredCertificate> Certificates, IReadOnlyList<string> Transcript)
{
    internal static ObservationJson From(StoredObservation observation) => new(
        observation.MxHost, observation.Target.Id, observation.At, observation.Outcome.Name(), observation.Outcome.ResultType(),
        observation.Stage.Name(), observation.ReplyCode, observation.Detail,
        [.. observation.Timings.Select(timing => new StageJson(timing.Stage.Name(), (long)timing.Elapsed.TotalMilliseconds))],
        observation.Certificates, observation.Transcript);
}
