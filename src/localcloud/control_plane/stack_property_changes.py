"""What a change to a property of a resource does: replace it, be applied to it, or be refused.

Property names are those of the CloudFormation resource reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.common_models import CloudFormationModel

from .stack_events import ProvisioningFailure

# A change to one of these makes a new physical resource (the reference's "Update requires:
# Replacement"). None: a change to any property does. Budget/BudgetName is a member of Budget.
_REPLACED_BY: dict[str, frozenset[str] | None] = {
    "AWS::ApiGateway::Account": frozenset(),
    "AWS::ApiGateway::ApiKey": frozenset({"GenerateDistinctId", "Name", "Value"}),
    "AWS::ApiGateway::Authorizer": frozenset({"RestApiId"}),
    "AWS::ApiGateway::BasePathMapping": frozenset({"DomainName", "BasePath"}),
    "AWS::ApiGateway::Deployment": frozenset({"DeploymentCanarySettings", "RestApiId"}),
    "AWS::ApiGateway::DomainName": frozenset({"DomainName"}),
    "AWS::ApiGateway::GatewayResponse": frozenset({"ResponseType", "RestApiId"}),
    "AWS::ApiGateway::Method": frozenset({"RestApiId", "ResourceId", "HttpMethod"}),
    "AWS::ApiGateway::Model": frozenset({"ContentType", "Name", "RestApiId"}),
    "AWS::ApiGateway::RequestValidator": frozenset({"Name", "RestApiId"}),
    "AWS::ApiGateway::Resource": None,
    "AWS::ApiGateway::RestApi": frozenset(),
    "AWS::ApiGateway::Stage": frozenset({"RestApiId", "StageName"}),
    "AWS::ApiGateway::UsagePlan": frozenset(),
    "AWS::ApiGateway::UsagePlanKey": None,
    "AWS::ApiGatewayV2::Api": frozenset({"ProtocolType"}),
    "AWS::ApiGatewayV2::ApiMapping": frozenset({"DomainName"}),
    "AWS::ApiGatewayV2::Authorizer": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::Deployment": None,
    "AWS::ApiGatewayV2::DomainName": frozenset({"DomainName"}),
    "AWS::ApiGatewayV2::Integration": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::IntegrationResponse": frozenset({"ApiId", "IntegrationId"}),
    "AWS::ApiGatewayV2::Route": frozenset({"ApiId"}),
    "AWS::ApiGatewayV2::RouteResponse": frozenset({"ApiId", "RouteId"}),
    "AWS::ApiGatewayV2::Stage": frozenset({"ApiId", "StageName"}),
    "AWS::Budgets::Budget": frozenset({"Budget/BudgetName", "NotificationsWithSubscribers"}),
    "AWS::CloudWatch::Dashboard": frozenset({"DashboardName"}),
    "AWS::DynamoDB::Table": frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"}),
    "AWS::Events::Rule": frozenset({"Name"}),
    "AWS::IAM::ManagedPolicy": frozenset({"Description", "ManagedPolicyName", "Path"}),
    "AWS::IAM::Role": frozenset({"RoleName", "Path"}),
    "AWS::Lambda::Alias": frozenset({"FunctionName", "Name"}),
    "AWS::Lambda::EventInvokeConfig": frozenset({"FunctionName", "Qualifier"}),
    "AWS::Lambda::EventSourceMapping": frozenset(
        {"EventSourceArn", "StartingPosition", "StartingPositionTimestamp"}
    ),
    "AWS::Lambda::Function": frozenset({"FunctionName", "PackageType"}),
    "AWS::Lambda::LayerVersion": None,
    "AWS::Lambda::Permission": None,
    "AWS::Lambda::Url": frozenset({"TargetFunctionArn", "Qualifier"}),
    "AWS::Lambda::Version": frozenset({"FunctionName", "Description", "CodeSha256"}),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName"}),
    "AWS::S3::Bucket": frozenset({"BucketName"}),
    "AWS::SSM::Parameter": frozenset({"Name"}),
    "AWS::SNS::Topic": frozenset({"FifoTopic", "TopicName"}),
    "AWS::SNS::Subscription": frozenset({"TopicArn", "Protocol", "Endpoint"}),
    "AWS::SQS::Queue": frozenset({"QueueName", "FifoQueue"}),
    "AWS::SQS::QueuePolicy": frozenset(),
}

# What an update changes in place. A change to any other property of these types is refused.
_APPLIED: dict[str, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "AWS::ApiGateway::Account": "CloudWatchRoleArn",
        "AWS::ApiGateway::ApiKey": "CustomerId Description Enabled StageKeys Tags",
        "AWS::ApiGateway::Authorizer": "AuthType AuthorizerCredentials AuthorizerResultTtlInSeconds "
        "AuthorizerUri IdentitySource IdentityValidationExpression Name ProviderARNs Type",
        "AWS::ApiGateway::BasePathMapping": "RestApiId Stage",
        "AWS::ApiGateway::Deployment": "Description StageName",
        "AWS::ApiGateway::DomainName": "CertificateArn RegionalCertificateArn SecurityPolicy Tags",
        "AWS::ApiGateway::GatewayResponse": "ResponseParameters ResponseTemplates StatusCode",
        "AWS::ApiGateway::Method": "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId "
        "Integration MethodResponses OperationName RequestModels RequestParameters RequestValidatorId",
        "AWS::ApiGateway::Model": "Description Schema",
        "AWS::ApiGateway::RequestValidator": "ValidateRequestBody ValidateRequestParameters",
        "AWS::ApiGateway::RestApi": "ApiKeySourceType BinaryMediaTypes Body Description "
        "DisableExecuteApiEndpoint EndpointConfiguration MinimumCompressionSize Mode Name Policy Tags",
        "AWS::ApiGateway::Stage": "AccessLogSetting CacheClusterEnabled CacheClusterSize CanarySetting "
        "DeploymentId Description DocumentationVersion MethodSettings Tags TracingEnabled Variables",
        "AWS::ApiGateway::UsagePlan": "ApiStages Description Quota Tags Throttle UsagePlanName",
        "AWS::ApiGatewayV2::Api": "ApiKeySelectionExpression Body CorsConfiguration Description "
        "DisableExecuteApiEndpoint DisableSchemaValidation Name RouteSelectionExpression Tags Version",
        "AWS::ApiGatewayV2::ApiMapping": "ApiId ApiMappingKey Stage",
        "AWS::ApiGatewayV2::Authorizer": "AuthorizerCredentialsArn AuthorizerPayloadFormatVersion "
        "AuthorizerResultTtlInSeconds AuthorizerType AuthorizerUri EnableSimpleResponses IdentitySource "
        "IdentityValidationExpression JwtConfiguration Name",
        "AWS::ApiGatewayV2::DomainName": "Tags",
        "AWS::ApiGatewayV2::Integration": "ConnectionId ConnectionType ContentHandlingStrategy "
        "CredentialsArn Description IntegrationMethod IntegrationSubtype IntegrationType IntegrationUri "
        "PassthroughBehavior PayloadFormatVersion RequestParameters RequestTemplates ResponseParameters "
        "TemplateSelectionExpression TimeoutInMillis TlsConfig",
        "AWS::ApiGatewayV2::IntegrationResponse": "ContentHandlingStrategy IntegrationResponseKey "
        "ResponseParameters ResponseTemplates TemplateSelectionExpression",
        "AWS::ApiGatewayV2::Route": "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId "
        "ModelSelectionExpression OperationName RequestModels RequestParameters RouteKey "
        "RouteResponseSelectionExpression Target",
        "AWS::ApiGatewayV2::RouteResponse": "ModelSelectionExpression ResponseModels ResponseParameters "
        "RouteResponseKey",
        "AWS::ApiGatewayV2::Stage": "AccessLogSettings AutoDeploy DefaultRouteSettings DeploymentId "
        "Description RouteSettings StageVariables Tags",
        "AWS::Budgets::Budget": "Budget ResourceTags",
        "AWS::CloudFormation::Stack": "Parameters Tags TemplateURL",
        "AWS::CloudWatch::Dashboard": "DashboardBody",
        "AWS::DynamoDB::Table": "AttributeDefinitions BillingMode DeletionProtectionEnabled "
        "GlobalSecondaryIndexes PointInTimeRecoverySpecification ProvisionedThroughput "
        "StreamSpecification Tags TimeToLiveSpecification",
        "AWS::IAM::ManagedPolicy": "Groups PolicyDocument Roles Users",
        "AWS::IAM::Role": "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration "
        "PermissionsBoundary Policies Tags",
        "AWS::Lambda::Alias": "Description FunctionVersion ProvisionedConcurrencyConfig RoutingConfig",
        "AWS::Lambda::EventInvokeConfig": "DestinationConfig MaximumEventAgeInSeconds MaximumRetryAttempts",
        "AWS::Lambda::EventSourceMapping": "BatchSize BisectBatchOnFunctionError DestinationConfig Enabled "
        "FilterCriteria FunctionName FunctionResponseTypes MaximumBatchingWindowInSeconds "
        "MaximumRecordAgeInSeconds MaximumRetryAttempts ParallelizationFactor ScalingConfig "
        "TumblingWindowInSeconds",
        "AWS::Lambda::Function": "Architectures Code DeadLetterConfig Description Environment "
        "EphemeralStorage Handler KmsKeyArn Layers LoggingConfig MemorySize ReservedConcurrentExecutions "
        "Role Runtime SnapStart Tags Timeout TracingConfig VpcConfig",
        "AWS::Lambda::Url": "AuthType Cors InvokeMode",
        "AWS::Lambda::Version": "ProvisionedConcurrencyConfig",
        "AWS::Logs::LogGroup": "KmsKeyId RetentionInDays Tags",
        "AWS::S3::Bucket": "BucketEncryption CorsConfiguration LifecycleConfiguration "
        "NotificationConfiguration PublicAccessBlockConfiguration Tags VersioningConfiguration",
        "AWS::SNS::Subscription": "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery "
        "RedrivePolicy SubscriptionRoleArn",
        "AWS::SNS::Topic": "ArchivePolicy ContentBasedDeduplication DisplayName KmsMasterKeyId "
        "SignatureVersion Subscription Tags TracingConfig",
        "AWS::SQS::Queue": "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoThroughputLimit "
        "KmsDataKeyReusePeriodSeconds KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod "
        "ReceiveMessageWaitTimeSeconds RedriveAllowPolicy RedrivePolicy SqsManagedSseEnabled Tags "
        "VisibilityTimeout",
        "AWS::SQS::QueuePolicy": "PolicyDocument Queues",
        "AWS::SSM::Parameter": "AllowedPattern DataType Description Policies Tags Tier Type Value",
    }.items()
}  # fmt: skip


def changed_properties(now: Mapping[str, Any], then: Mapping[str, Any]) -> set[str]:
    """The names of the properties that differ, and of an object's members as `Property/Member`."""
    changed = _differing(now, then)
    for name in tuple(changed):
        new, old = now.get(name), then.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            changed |= {f"{name}/{member}" for member in _differing(new, old)}
    return changed


def _differing(now: Mapping[str, Any], then: Mapping[str, Any]) -> set[str]:
    return {name for name in {*now, *then} if now.get(name) != then.get(name)}


def needs_replacement(
    resource_type: str, resource_class: type[CloudFormationModel], changed: set[str]
) -> bool:
    """Must a resource be made anew when the properties `changed` are, as changed_properties names them?
    Types that moto can't update must.
    """
    if resource_type in _REPLACED_BY:
        properties = _REPLACED_BY[resource_type]
        return properties is None or bool(properties & changed)
    return hasattr(resource_class.update_from_cloudformation_json, "__isabstractmethod__")


def check_applied(resource_type: str, changed: set[str]) -> None:
    """Raise ProvisioningFailure where an update would leave one of the properties `changed` as it is."""
    names = {name.partition("/")[0] for name in changed}
    dropped = sorted(names - _APPLIED.get(resource_type, names))
    if dropped:
        raise ProvisioningFailure(
            f"{', '.join(dropped)} of {resource_type} can't be changed here yet, and nothing was: leave it "
            "as it was, or give the resource another logical id, which makes a new one."
        )
