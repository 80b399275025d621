using Microsoft.Extensions.Logging;

namespace PolicyDaemon.Web.Http;

/// <summary>The log lines of policyd-web; the numbers are fixed.</summary>
internal static partial class WebLog
{
    [LoggerMessage(EventId = 700, Level = LogLevel.Information, Message = "Serving pages on {Endpoint}; the store is {Database}")]
    internal static partial void Serving(this ILogger logger, string endpoint, string database);

    [LoggerMessage(EventId = 701, Level = LogLevel.Information, Message = "No request for {Idle}: ending; systemd starts policyd-web again when somebody connects")]
    internal static partial void Idle(this ILogger logger, TimeSpan idle);

    [LoggerMessage(EventId = 702, Level = LogLevel.Error, Message = "The page {Path} failed")]
    internal static partial void PageFailed(this ILogger logger, Exception exception, string path);

    [LoggerMessage(EventId = 703, Level = LogLevel.Error, Message = "The store cannot be counted; pages show no counts")]
    internal static partial void SurveyFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 704, Level = LogLevel.Error, Message = "Postfix's queue cannot be asked; pages do not say how much mail waits")]
    internal static partial void QueueFailed(this ILogger logger, Exception exception);
}
